/** The environment of the process that looks names up: our own, with a thread for each of many names. */
export const lookupEnvironment = (): NodeJS.ProcessEnv => ({ ...process.env, UV_THREADPOOL_SIZE: '64' })
