import type { AlarmDetail } from '#shared/contracts/alarm.ts'
import type { Definition } from '../../api/types.ts'
import { useTexts } from '../../ui/language.ts'

/** The definition of the alarm, when the server gave one in the shape of the contract. */
export function definitionOf(detail: AlarmDetail): Definition | undefined {
  const given = detail.definition
  return typeof given === 'object' && given !== null && 'condition' in given ? (given as Definition) : undefined
}

/** The alarm's rule in words. */
export function AlarmDefinitionPanel({ detail }: { readonly detail: AlarmDetail }) {
  const { t } = useTexts()
  const definition = definitionOf(detail)
  return (
    <section className="panel">
      <header>
        <h2>{t('alarm.definition', { version: detail.version })}</h2>
      </header>
      <dl className="body facts">
        {definition ? <Rule definition={definition} unit={detail.alarm.unit} /> : null}
        <Fact name={t('alarm.tag')} value={detail.alarm.tagPath} />
        <Fact name={t('alarms.priority')} value={t(`words.priority.${detail.alarm.priority}`)} />
        {definition?.class ? <Fact name={t('alarm.class')} value={t(`words.alarmClass.${definition.class}`)} /> : null}
        <Fact name={t('alarm.onDelay')} value={t('time.seconds', { count: definition?.onDelaySeconds ?? 0 })} />
        <Fact name={t('alarm.offDelay')} value={t('time.seconds', { count: definition?.offDelaySeconds ?? 0 })} />
      </dl>
    </section>
  )
}

function Fact({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div>
      <dt className="meta">{name}</dt>
      <dd>{value}</dd>
    </div>
  )
}

function Rule({ definition, unit }: { readonly definition: Definition; readonly unit: string | null }) {
  const { t } = useTexts()
  const { condition } = definition
  const name = t(`alarm.kind.${condition.kind}`)
  switch (condition.kind) {
    case 'limit':
      return condition.levels.map((level) => (
        <Fact
          key={level.level}
          name={t(`words.level.${level.level}`)}
          value={t('alarm.setpoint', {
            level: level.level,
            setpoint: level.setpoint,
            unit: unit ? ` ${unit}` : '',
            deadband: level.deadband ?? 0,
          })}
        />
      ))
    case 'rate-of-change':
      return (
        <Fact
          name={name}
          value={t('alarm.perMinute', {
            value: `${condition.perMinute} ${unit ?? ''}`,
            window: condition.windowSeconds,
          })}
        />
      )
    case 'discrete':
      return <Fact name={name} value={t('alarm.abnormal', { values: condition.abnormal.join(', ') })} />
    case 'no-data':
      return <Fact name={name} value={t('alarm.after', { count: condition.afterSeconds })} />
    case 'bad-quality':
      return <Fact name={name} value="" />
  }
}
