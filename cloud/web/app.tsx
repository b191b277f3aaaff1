import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { createRouter, RouterProvider } from '@tanstack/react-router'
import ConfigProvider from 'antd/es/config-provider'
import { ApiError } from './api/http.ts'
import { routeTree } from './routes.tsx'
import { antTheme, useLook } from './theme/theme.ts'

/** A refusal is an answer: only silence and faults of the server are worth asking again. */
function isWorthRetrying(failures: number, error: unknown): boolean {
  if (error instanceof ApiError && error.problem.status >= 400 && error.problem.status < 500) return false
  return failures < 2
}

/** Answers stay fresh because the stream says when they change; a minute is the net below. */
const client = new QueryClient({
  defaultOptions: { queries: { staleTime: 60_000, retry: isWorthRetrying, refetchOnWindowFocus: true } },
})

const router = createRouter({ routeTree, context: { client }, defaultPreload: 'intent', scrollRestoration: true })

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}

export function App() {
  const look = useLook()
  return (
    <ConfigProvider theme={antTheme(look)} button={{ autoInsertSpace: false }} wave={{ disabled: true }}>
      <QueryClientProvider client={client}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </ConfigProvider>
  )
}
