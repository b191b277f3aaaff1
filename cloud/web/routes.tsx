import type { QueryClient } from '@tanstack/react-query'
import { createRootRouteWithContext, createRoute, lazyRouteComponent, Outlet, redirect } from '@tanstack/react-router'
import { sessionQuery } from './api/queries.ts'
import { StreamProvider } from './api/stream.tsx'
import { homeOf } from './features/shell/places.ts'
import { Shell } from './features/shell/shell.tsx'
import { ErrorState } from './ui/error-state.tsx'
import { useTexts } from './ui/language.ts'

interface Context {
  readonly client: QueryClient
}

/** Names in the query that a screen understands; anything else is left out. */
const search =
  <K extends string>(...names: readonly K[]) =>
  (given: Record<string, unknown>): { [P in K]?: string } => {
    const known = names.flatMap((name) => {
      const value = given[name]
      return typeof value === 'string' || typeof value === 'number' ? [[name, String(value)] as const] : []
    })
    return Object.fromEntries(known) as { [P in K]?: string }
  }

function NotFound() {
  const { t } = useTexts()
  return <p className="screen">{t('error.page')}</p>
}

const root = createRootRouteWithContext<Context>()({
  component: Outlet,
  notFoundComponent: NotFound,
  errorComponent: ({ error, reset }) => <ErrorState problem={error} retry={reset} />,
})

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  validateSearch: search('next'),
  component: lazyRouteComponent(() => import('./features/sign-in/sign-in-screen.tsx'), 'SignInScreen'),
})

/** Everything behind the door: without a session the way leads to sign-in and back. */
const inside = createRoute({
  getParentRoute: () => root,
  id: 'inside',
  beforeLoad: async ({ context, location }) => {
    const session = await context.client.ensureQueryData(sessionQuery)
    if (!session) throw redirect({ to: '/sign-in', search: { next: location.href } })
    return { session }
  },
  component: () => (
    <StreamProvider>
      <Shell />
    </StreamProvider>
  ),
})

const home = createRoute({
  getParentRoute: () => inside,
  path: '/',
  beforeLoad: ({ context }) => {
    throw redirect({ to: homeOf(context.session.person.roles), replace: true })
  },
})

const board = createRoute({
  getParentRoute: () => inside,
  path: '/board',
  validateSearch: search('line', 'state'),
  component: lazyRouteComponent(() => import('./features/board/board-screen.tsx'), 'BoardScreen'),
})

const alarms = createRoute({
  getParentRoute: () => inside,
  path: '/alarms',
  validateSearch: search('show', 'priority', 'asset', 'group', 'q'),
  component: lazyRouteComponent(() => import('./features/alarms/alarm-list-screen.tsx'), 'AlarmListScreen'),
})

const alarm = createRoute({
  getParentRoute: () => inside,
  path: '/alarms/$id',
  component: lazyRouteComponent(() => import('./features/alarms/alarm-screen.tsx'), 'AlarmScreen'),
})

const incidents = createRoute({
  getParentRoute: () => inside,
  path: '/incidents',
  validateSearch: search('show', 'asset', 'mine'),
  component: lazyRouteComponent(() => import('./features/incidents/incident-list-screen.tsx'), 'IncidentListScreen'),
})

const incident = createRoute({
  getParentRoute: () => inside,
  path: '/incidents/$id',
  validateSearch: search('tab'),
  component: lazyRouteComponent(() => import('./features/incidents/room-screen.tsx'), 'RoomScreen'),
})

const callPage = createRoute({
  getParentRoute: () => inside,
  path: '/p/$id',
  component: lazyRouteComponent(() => import('./features/pages/page-screen.tsx'), 'PageScreen'),
})

const work = createRoute({
  getParentRoute: () => inside,
  path: '/work',
  validateSearch: search('show'),
  component: lazyRouteComponent(() => import('./features/work/work-screen.tsx'), 'WorkScreen'),
})

const workOrder = createRoute({
  getParentRoute: () => inside,
  path: '/work-orders/$id',
  component: lazyRouteComponent(() => import('./features/work/order-screen.tsx'), 'OrderScreen'),
})

const retros = createRoute({
  getParentRoute: () => inside,
  path: '/retros',
  validateSearch: search('show'),
  component: lazyRouteComponent(() => import('./features/retros/retro-list-screen.tsx'), 'RetroListScreen'),
})

const retro = createRoute({
  getParentRoute: () => inside,
  path: '/retros/$id',
  component: lazyRouteComponent(() => import('./features/retros/retro-screen.tsx'), 'RetroScreen'),
})

const assets = createRoute({
  getParentRoute: () => inside,
  path: '/assets',
  component: lazyRouteComponent(() => import('./features/assets/assets-screen.tsx'), 'AssetsScreen'),
})

const asset = createRoute({
  getParentRoute: () => inside,
  path: '/assets/$id',
  component: lazyRouteComponent(() => import('./features/assets/assets-screen.tsx'), 'AssetsScreen'),
})

const trends = createRoute({
  getParentRoute: () => inside,
  path: '/trends',
  validateSearch: search('tags', 'last', 'from', 'to'),
  component: lazyRouteComponent(() => import('./features/trends/trends-screen.tsx'), 'TrendsScreen'),
})

const edges = createRoute({
  getParentRoute: () => inside,
  path: '/edges',
  validateSearch: search('show', 'q'),
  component: lazyRouteComponent(() => import('./features/edges/edge-list-screen.tsx'), 'EdgeListScreen'),
})

const newEdge = createRoute({
  getParentRoute: () => inside,
  path: '/edges/new',
  validateSearch: search('edge'),
  component: lazyRouteComponent(() => import('./features/edges/enrol-screen.tsx'), 'EnrolScreen'),
})

const edge = createRoute({
  getParentRoute: () => inside,
  path: '/edges/$id/{-$tab}',
  validateSearch: search('device', 'q'),
  component: lazyRouteComponent(() => import('./features/edges/edge-screen.tsx'), 'EdgeScreen'),
})

const inbox = createRoute({
  getParentRoute: () => inside,
  path: '/inbox',
  validateSearch: search('show'),
  component: lazyRouteComponent(() => import('./features/inbox/inbox-screen.tsx'), 'InboxScreen'),
})

export const routeTree = root.addChildren([
  signIn,
  inside.addChildren([
    home,
    board,
    alarms,
    alarm,
    incidents,
    incident,
    callPage,
    work,
    workOrder,
    retros,
    retro,
    assets,
    asset,
    trends,
    edges,
    newEdge,
    edge,
    inbox,
  ]),
])
