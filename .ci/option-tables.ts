/**
 * Writes the option tables of the READMEs anew from their schemas: `npm run tables`, after a key was added or described
 * otherwise. The tests of the READMEs compare them.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { CloudFile } from '../cloud/config.ts'
import { settingsTable } from '../cloud/settings.ts'
import { EdgeFile } from '../edge/config.ts'
import { PROTOCOLS } from '../edge/drivers/registry.ts'
import { metricsTable } from '../edge/status/metric-text.ts'
import { allMetrics } from '../edge/status/metrics.ts'
import { plantSources } from '../edge/status/testing/plant.ts'
import { optionTable } from '../shared/config/option-table.ts'
import { DeviceProfile } from '../shared/contracts/device-profile.ts'
import { Plant } from '../shared/contracts/plant.ts'

/** A table without what an editor lines up: such a change alone is none. */
const plain = (table: string) => table.trim().replace(/ {2,}/g, ' ').replace(/-{3,}/g, '---')

/** Puts a table between `<!-- NAME -->` and `<!-- /NAME -->`. */
function put(readme: string, name: string, table: string): void {
  const file = fileURLToPath(new URL(`../${readme}`, import.meta.url))
  const text = readFileSync(file, 'utf8')
  const [begin, end] = [`<!-- ${name} -->\n`, `<!-- /${name} -->`]
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`${readme} has no ${begin.trim()} … ${end}`)
  const start = from + begin.length
  if (plain(text.slice(start, to)) === plain(table)) return
  writeFileSync(file, `${text.slice(0, start)}${table}\n${text.slice(to)}`)
}

put('cloud/README.md', 'settings', settingsTable())
put('cloud/README.md', 'options', optionTable(CloudFile))
put('edge/README.md', 'options', optionTable(EdgeFile))
put('edge/README.md', 'metrics', metricsTable(allMetrics(plantSources())))
put('devices/README.md', 'plant options', optionTable(Plant))
put('devices/README.md', 'profile options', optionTable(DeviceProfile))
for (const { name, schema } of PROTOCOLS) put(`edge/drivers/${name}/README.md`, 'options', optionTable(schema))
