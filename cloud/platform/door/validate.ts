import type { Static, TSchema } from 'typebox'
import { Compile, type Validator } from 'typebox/compile'
import { DomainError, type InputFault } from '../errors.ts'

const compiled = new WeakMap<TSchema, Validator>()

function validatorOf(schema: TSchema): Validator {
  const known = compiled.get(schema)
  if (known) return known
  const made = Compile(schema) as Validator
  compiled.set(schema, made)
  return made
}

/** Every fault of a value against its schema, each at its JSON pointer; empty when it fits. */
export function faultsOf(schema: TSchema, value: unknown): InputFault[] {
  const validator = validatorOf(schema)
  if (validator.Check(value)) return []
  return describeFaults(validator.Errors(value))
}

interface SchemaError {
  readonly keyword: string
  readonly instancePath: string
  readonly message: string
  readonly params?: unknown
}

/** Puts the library's errors in words: one fault for each missing or unknown key, at that key. */
export function describeFaults(errors: readonly SchemaError[]): InputFault[] {
  return errors.flatMap(({ keyword, instancePath, message, params }) => {
    // An unknown key is told once as itself and once more as a value that nothing may have.
    if (keyword === 'boolean') return []
    const { requiredProperties, additionalProperties } = (params ?? {}) as Record<string, string[] | undefined>
    if (requiredProperties) return requiredProperties.map((key) => at(instancePath, key, 'is missing'))
    if (additionalProperties) return additionalProperties.map((key) => at(instancePath, key, 'is not known'))
    return [{ path: instancePath || '/', message }]
  })
}

const at = (path: string, key: string, message: string): InputFault => ({ path: `${path}/${key}`, message })

/** Throws DomainError `invalid` with every fault when the value does not fit. */
export function requireValid<S extends TSchema>(schema: S, value: unknown, what: string): asserts value is Static<S> {
  const faults = faultsOf(schema, value)
  if (faults.length > 0)
    throw new DomainError('invalid', 'input.invalid', `${what} has ${faults.length} fault(s)`, faults)
}
