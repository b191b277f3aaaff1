import { useTexts } from '../../ui/language.ts'

const SILENCED = /^(.+) answered before and does not any more$/

/** Words why a box went back; what is not known stays as the box told it. */
export function useBoxReason() {
  const { t } = useTexts()
  return (reason: string): string => {
    if (reason === 'the cloud was not reached') return t('edges.configuration.notReached')
    const devices = SILENCED.exec(reason)?.[1]
    return devices === undefined ? reason : t('edges.configuration.silenced', { devices })
  }
}
