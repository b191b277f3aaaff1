import type { Database } from '#cloud/platform/database/database.ts'
import { loadProfiles } from '#shared/config/profile.ts'
import { detectionQueries } from '../detection/index.ts'
import { pipelineStore } from '../shard/store.ts'
import type { RemoteOptions } from './remote.ts'

/** What is read where it is asked: committed rows from PostgreSQL, profiles from their files. @throws ConfigError for a faulty profile. */
export function localParts(db: Database, profilesDir: string): RemoteOptions['local'] {
  const profiles = loadProfiles(profilesDir)
  const store = pipelineStore(db)
  return {
    detection: detectionQueries(db.system as unknown as Parameters<typeof detectionQueries>[0]),
    profile: (key) => profiles.get(key),
    gaps: (query) => store.gaps(query),
  }
}
