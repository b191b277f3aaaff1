import { readCloudConfig } from '#cloud/config.ts'

/** Values under which the cloud also looks at settings that go with others. */
const LEADING: Readonly<Record<string, string>> = { MQTT_URL: 'mqtt://127.0.0.1', INFLUX_URL: 'http://127.0.0.1' }

/** The names of all settings that the cloud looks for in its environment, as it reads a configuration from `file`. */
export function settingsRead(file?: string): ReadonlySet<string> {
  const names = new Set<string>()
  const env = new Proxy<Record<string, string>>(
    {},
    {
      get(_target, name) {
        names.add(String(name))
        return LEADING[String(name)]
      },
    },
  )
  readCloudConfig({ file }, env)
  return names
}
