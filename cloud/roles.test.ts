import { describe, expect, it } from 'vitest'
import { type RoleName, splitFaults } from './roles.ts'

const SHARED = { DATABASE_URL: 'postgresql://db', ANDON_SECRET: 'x' }
const paths = (roles: readonly RoleName[], env: Record<string, string> = {}) =>
  splitFaults(roles, env).map((fault) => fault.path)

describe('a process with some of the roles', () => {
  it('may have any that work without the others', () => {
    expect(paths(['broker', 'pipeline', 'web', 'worker'])).toEqual([])
    for (const roles of [
      ['web'],
      ['worker'],
      ['web', 'worker'],
      ['broker', 'pipeline'],
      ['broker', 'pipeline', 'web'],
    ]) {
      expect([roles, paths(roles as RoleName[], SHARED)]).toEqual([roles, []])
    }
    expect(paths(['pipeline'], { ...SHARED, MQTT_URL: 'mqtt://broker' })).toEqual([])
  })

  it('needs what the processes share, all named at once', () => {
    expect(paths(['web'])).toEqual(['DATABASE_URL', 'ANDON_SECRET'])
    expect(paths(['pipeline'])).toEqual(['roles', 'DATABASE_URL', 'ANDON_SECRET'])
  })

  it('has the embedded broker and the pipeline together, and no broker beside an external one', () => {
    expect(splitFaults(['pipeline'], SHARED)[0]?.fix).toContain('MQTT_URL')
    expect(splitFaults(['broker', 'web'], SHARED)[0]?.fix).toContain('add pipeline')
    expect(splitFaults(['broker'], { ...SHARED, MQTT_URL: 'mqtt://b' })[0]?.fix).toContain('leave broker out')
  })
})
