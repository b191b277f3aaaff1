import { type AnyDriver, NotConnectedError } from '#edge/drivers/driver.ts'
import type { ProfileTag } from '#shared/contracts/device-profile.ts'
import type { Quality, Scalar } from '#shared/contracts/sample.ts'
import { publish, publishedType } from './publish.ts'

/** One address as it would stand in a profile, before it does. */
export type TestReadRequest = Pick<ProfileTag, 'address' | 'type'> & Partial<Omit<ProfileTag, 'tag' | 'name'>>

/** What stands at an address at this moment. */
export interface TestReading {
  /** As it would be published. */
  readonly value: Scalar
  readonly quality: Quality
  /** As the device gave it, unscaled. */
  readonly raw: Scalar
  /** Power of ten that the device gave with it. */
  readonly exponent?: number
  /** As they came over the wire; for bits one number. */
  readonly registers?: readonly number[]
  /** Why there is no good value. */
  readonly reason?: string
}

const NAME = { en: 'test', 'zh-CN': '测试' }

/**
 * Reads one address of a device over the link that it is read over anyway, ahead of its scans. A device that refuses or does not
 * answer gives a bad reading with the reason. Throws AddressError for an address that cannot be used.
 */
export async function testRead(driver: AnyDriver, request: TestReadRequest, signal: AbortSignal): Promise<TestReading> {
  const tag: ProfileTag = { tag: 'test', name: NAME, ...request }
  const address = driver.parseAddress(tag)
  if (!driver.readNow) return nothing('this protocol cannot read a single address yet')
  try {
    const { sample, registers } = await driver.readNow(tag.tag, address, signal)
    const { value, quality, reason } = publish(sample, tag, publishedType(tag))
    return {
      ...{ value, quality, raw: sample.value },
      ...(sample.exponent === undefined ? {} : { exponent: sample.exponent }),
      ...(registers === undefined ? {} : { registers }),
      ...(reason === undefined ? {} : { reason }),
    }
  } catch (error) {
    if (error instanceof NotConnectedError) return nothing(error.message)
    throw error
  }
}

const nothing = (reason: string): TestReading => ({ value: null, quality: 0, raw: null, reason })
