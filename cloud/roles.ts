/** The parts of the cloud process; one process has them all unless told. */
export const ROLE_NAMES = ['broker', 'pipeline', 'web', 'worker'] as const
export type RoleName = (typeof ROLE_NAMES)[number]
