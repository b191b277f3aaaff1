import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { inboxQuery, sessionQuery } from '../../api/queries.ts'
import { Icon } from '../../ui/icons.tsx'
import { useTexts } from '../../ui/language.ts'
import { groupsOf, type Place, tabsOf } from './places.ts'

function useRoles() {
  return useQuery(sessionQuery).data?.person.roles ?? []
}

/** How many things wait for the viewer. */
function useInboxCount(): number {
  return useQuery(inboxQuery('open')).data?.items.length ?? 0
}

/** The places of the console in their groups. */
export function Rail({ isNarrow, onToggle }: { readonly isNarrow: boolean; readonly onToggle: () => void }) {
  const { t } = useTexts()
  const groups = groupsOf(useRoles())
  return (
    <nav className="rail" aria-label={t('app.navigation')}>
      {groups.map((group) => (
        <section key={group.key} className="rail-group" aria-label={t(`nav.${group.key}`)}>
          <h2 className="rail-title">{t(`nav.${group.key}`)}</h2>
          {group.places.map((place) => (
            <PlaceLink key={place.key} place={place} className="rail-link" />
          ))}
        </section>
      ))}
      <button type="button" className="rail-link rail-toggle" onClick={onToggle}>
        <Icon name={isNarrow ? 'expand' : 'collapse'} />
        <span className="rail-word">{isNarrow ? t('app.expand') : t('app.collapse')}</span>
      </button>
    </nav>
  )
}

/** The phone's places, within reach of a thumb. */
export function BottomBar() {
  const { t } = useTexts()
  const tabs = tabsOf(useRoles())
  return (
    <nav className="bottom" aria-label={t('app.navigation')}>
      {tabs.map((place) => (
        <PlaceLink key={place.key} place={place} className="bottom-link" />
      ))}
    </nav>
  )
}

function PlaceLink({ place, className }: { readonly place: Place; readonly className: string }) {
  const { t } = useTexts()
  const count = useInboxCount()
  const isInbox = place.key === 'inbox' && count > 0
  return (
    <Link
      to={place.to}
      className={className}
      activeProps={{ className: `${className} active`, 'aria-current': 'page' }}
    >
      <Icon name={place.icon} size={18} />
      <span className="rail-word">{t(`nav.${place.key}`)}</span>
      {isInbox ? <span className="count">{count}</span> : null}
    </Link>
  )
}
