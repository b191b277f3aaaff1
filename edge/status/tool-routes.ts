import { certificateRoutes } from './certificate-routes.ts'
import { testBroker, testDevice } from './connection-test.ts'
import type { Answer, Ask } from './http.ts'
import { wordsIn } from './page-words.ts'
import { readRoutes } from './read-routes.ts'
import { type Page, type Route, sheet, view } from './route.ts'
import { tagFileRoutes } from './tag-file-routes.ts'
import { deviceStatus, deviceView } from './views/devices.ts'
import { testSteps, toolsView } from './views/tools.ts'

/** What a person tries: each asks over the link that is there. */
export const toolRoutes: readonly Route[] = [
  { method: 'GET', path: '/tools', rule: 'reader', handle: view('tools', toolsView) },
  { method: 'POST', path: '/tools/broker-test', rule: 'action', handle: brokerTest },
  { method: 'POST', path: '/devices/:device/connection-test', rule: 'action', handle: connectionTest },
  ...readRoutes,
  ...certificateRoutes,
  ...tagFileRoutes,
]

async function brokerTest(ask: Ask, { sources }: Page): Promise<Answer> {
  const steps = await testBroker(sources, ask.language)
  return sheet(ask, sources, wordsIn(ask.language).tools, toolsView(sources, ask, testSteps(steps, ask)))
}

async function connectionTest(ask: Ask, { sources, traces }: Page): Promise<Answer> {
  const { device } = deviceStatus(sources, ask.params.device ?? '')
  const steps = await testDevice(sources, device, ask.language)
  return sheet(ask, sources, device, deviceView(sources, traces, ask, { connection: testSteps(steps, ask) }))
}
