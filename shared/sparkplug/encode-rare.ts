import { packArray } from './array-values.ts'
import { type ArrayType, codeOfType } from './datatype.ts'
import { key, LENGTH, METRIC_VALUES, number, text, writeScalar } from './encode-value.ts'
import type { OutgoingMetric, OutgoingTemplate } from './payload.ts'
import type { DataSet, MetaData } from './rare-types.ts'
import type { WireWriter } from './wire.ts'

const BYTES = METRIC_VALUES + 6
const DATA_SET = METRIC_VALUES + 7
const TEMPLATE = METRIC_VALUES + 8
const CELL_VALUES = 1
const PARAMETER_VALUES = 3

/** @throws RangeError when the value is no array of the type. */
export function writeArray(out: WireWriter, type: ArrayType, value: unknown): void {
  key(out, BYTES, LENGTH)
  out.bytes(packArray(type, value))
}

/** @throws RangeError when it is no data set, or a row has another number of cells than there are columns. */
export function writeDataSet(out: WireWriter, value: unknown): void {
  if (!isDataSet(value)) throw new RangeError('A value is no data set')
  const { columns, types, rows } = value
  key(out, DATA_SET, LENGTH)
  const start = out.begin()
  number(out, 1, columns.length)
  for (const column of columns) text(out, 2, column)
  for (const type of types) number(out, 3, codeOfType(type))
  for (const row of rows) {
    key(out, 4, LENGTH)
    const inner = out.begin()
    for (const [i, type] of types.entries()) writeCell(out, type, row[i] ?? null)
    out.end(inner)
  }
  out.end(start)
}

function isDataSet(value: unknown): value is DataSet {
  const { columns, types, rows } = value as DataSet
  if (!columns || !types || !rows || columns.length !== types.length) return false
  return rows.every((row) => row.length === columns.length)
}

/** A cell without a value is null. */
function writeCell(out: WireWriter, type: DataSet['types'][number], value: DataSet['rows'][number][number]): void {
  key(out, 1, LENGTH)
  const start = out.begin()
  if (value !== null) writeScalar(out, CELL_VALUES, type, value)
  out.end(start)
}

/** @throws RangeError when it is no template. */
export function writeTemplate(
  out: WireWriter,
  value: unknown,
  writeMetric: (out: WireWriter, metric: OutgoingMetric) => void,
): void {
  if (!isTemplate(value)) throw new RangeError('A value is no template')
  key(out, TEMPLATE, LENGTH)
  const start = out.begin()
  if (value.version !== undefined) text(out, 1, value.version)
  for (const metric of value.metrics) {
    key(out, 2, LENGTH)
    const inner = out.begin()
    writeMetric(out, metric)
    out.end(inner)
  }
  for (const parameter of value.parameters ?? []) writeParameter(out, parameter)
  if (value.templateRef !== undefined) text(out, 4, value.templateRef)
  number(out, 5, value.isDefinition ? 1 : 0)
  out.end(start)
}

const isTemplate = (value: unknown): value is OutgoingTemplate => Array.isArray((value as OutgoingTemplate).metrics)

function writeParameter(out: WireWriter, parameter: NonNullable<OutgoingTemplate['parameters']>[number]): void {
  key(out, 3, LENGTH)
  const start = out.begin()
  text(out, 1, parameter.name)
  number(out, 2, codeOfType(parameter.type))
  if (parameter.value !== null) writeScalar(out, PARAMETER_VALUES, parameter.type, parameter.value)
  out.end(start)
}

/** Writes the fields of a metric's metadata. */
export function writeMetaData(out: WireWriter, data: MetaData): void {
  if (data.isMultiPart !== undefined) number(out, 1, data.isMultiPart ? 1 : 0)
  if (data.contentType !== undefined) text(out, 2, data.contentType)
  if (data.size !== undefined) number(out, 3, data.size)
  if (data.seq !== undefined) number(out, 4, data.seq)
  if (data.fileName !== undefined) text(out, 5, data.fileName)
  if (data.fileType !== undefined) text(out, 6, data.fileType)
  if (data.md5 !== undefined) text(out, 7, data.md5)
  if (data.description !== undefined) text(out, 8, data.description)
}
