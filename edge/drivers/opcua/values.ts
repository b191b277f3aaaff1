import type { Scalar } from '#shared/contracts/sample.ts'
import type { HistoryPage, HistoryRange, Session } from './connection.ts'
import type { WireValue } from './decode.ts'
import { encodeValue } from './encode.ts'
import {
  AccessLevelFlag,
  AttributeIds,
  type DataType,
  type DataValue,
  findBasicDataType,
  HistoryReadRequest,
  type HistoryReadResult,
  ReadRawModifiedDetails,
  TimestampsToReturn,
  VariantArrayType,
} from './library.ts'

/** A server refused to write; `isCertain` when nothing was written for sure. */
export interface WriteRefusal {
  readonly status: string
  readonly isCertain: boolean
}

/** Values of one node that one page of its history may hold. */
const HISTORY_PAGE = 5000

/** What a session reads and writes outside of subscriptions. */
export function valueServices(session: Session) {
  return {
    async withHistory(nodeIds: readonly string[]) {
      const levels = await session.read(
        nodeIds.map((nodeId) => ({ nodeId, attributeId: AttributeIds.UserAccessLevel })),
      )
      return levels.map(({ value, statusCode }) => {
        return statusCode.isGood() && (Number(value?.value) & AccessLevelFlag.HistoryRead) !== 0
      })
    },
    async readHistory({ nodeId, from, to }: HistoryRange, next: Buffer | undefined): Promise<HistoryPage> {
      const request = new HistoryReadRequest({
        historyReadDetails: new ReadRawModifiedDetails({
          isReadModified: false,
          startTime: new Date(from),
          endTime: new Date(to),
          numValuesPerNode: HISTORY_PAGE,
          returnBounds: false,
        }),
        timestampsToReturn: TimestampsToReturn.Both,
        releaseContinuationPoints: false,
        nodesToRead: [{ nodeId, ...(next ? { continuationPoint: next } : {}) }],
      })
      const { results } = await session.historyRead(request)
      return pageOf(results?.[0])
    },
    readValue: async (nodeId: string): Promise<WireValue> => session.read({ nodeId, attributeId: AttributeIds.Value }),
    writeValue: (nodeId: string, value: Exclude<Scalar, null>) => writeValue(session, nodeId, value),
  }
}

/** What a server says when a device behind it gave no answer: the value may have arrived. */
const UNCERTAIN_STATUS = /Timeout|BadCommunicationError|BadDeviceFailure|BadUnexpectedError|BadInternalError/

async function writeValue(
  session: Session,
  nodeId: string,
  value: Exclude<Scalar, null>,
): Promise<WriteRefusal | undefined> {
  const type = await session.read({ nodeId, attributeId: AttributeIds.DataType })
  if (!type.statusCode.isGood()) return { status: type.statusCode.name, isCertain: true }
  const dataType: DataType = await findBasicDataType(session, type.value.value)
  const variant = { dataType, arrayType: VariantArrayType.Scalar, value: encodeValue(dataType, value) }
  const status = await session.write({ nodeId, attributeId: AttributeIds.Value, value: { value: variant } })
  if (!status.isNotGood()) return undefined
  return { status: status.name, isCertain: !UNCERTAIN_STATUS.test(status.name) }
}

function pageOf(result: HistoryReadResult | undefined): HistoryPage {
  if (!result?.statusCode.isGood()) {
    const isEmpty = result?.statusCode.name === 'GoodNoData'
    return { values: [], next: undefined, refused: isEmpty ? undefined : (result?.statusCode.name ?? 'no status') }
  }
  const { dataValues } = (result.historyData ?? {}) as { dataValues?: readonly DataValue[] | null }
  const next = result.continuationPoint?.length ? result.continuationPoint : undefined
  return { values: dataValues ?? [], next, refused: undefined }
}
