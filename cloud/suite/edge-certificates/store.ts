import type { Kysely, Selectable } from 'kysely'
import { sql } from 'kysely'
import type { Tx } from '#cloud/platform/database/database.ts'

interface EnrolmentCodesTable {
  id: string
  org_id: string
  edge_id: string
  code_hash: Buffer
  made_by: string
  made_at: Date
  expires_at: Date
  used_at: Date | null
}

interface CertificatesTable {
  serial: string
  org_id: string
  edge_id: string
  fingerprint: string
  issued_at: Date
  expires_at: Date
  revoked_at: Date | null
  revoked_by: string | null
  reason: string | null
}

interface RenewalsTable {
  request_hash: Buffer
  id: string
  org_id: string
  edge_id: string
  serial: string
  key_fingerprint: string
  asked_at: Date
  address: string | null
  confirmed_at: Date | null
  confirmed_by: string | null
  certificate: string | null
}

type Tables = {
  edge_enrolment_codes: EnrolmentCodesTable
  edge_certificates: CertificatesTable
  edge_renewals: RenewalsTable
}

export type CodeRow = Selectable<EnrolmentCodesTable>
export type CertificateRow = Selectable<CertificatesTable>
export type RenewalRow = Selectable<RenewalsTable>

/** All SQL of enrolment codes, inside one organisation. */
export function codeStore(tx: Tx) {
  const db = tx.withTables<Tables>()
  return {
    add: (row: Omit<CodeRow, 'used_at'>) =>
      db
        .insertInto('edge_enrolment_codes')
        .values({ ...row, used_at: null })
        .execute(),
    /** True for the one caller who uses it up. */
    async use(id: string, at: Date) {
      const used = await db
        .updateTable('edge_enrolment_codes')
        .set({ used_at: at })
        .where('id', '=', id)
        .where('used_at', 'is', null)
        .where('expires_at', '>', at)
        .returning('id')
        .executeTakeFirst()
      return used !== undefined
    },
    /** Codes that nobody used yet are good no more. */
    end: (edgeId: string, at: Date) =>
      db
        .updateTable('edge_enrolment_codes')
        .set({ expires_at: at })
        .where('edge_id', '=', edgeId)
        .where('used_at', 'is', null)
        .where('expires_at', '>', at)
        .execute(),
  }
}

/** All SQL of certificates, inside one organisation. */
export function certificateStore(tx: Tx) {
  const db = tx.withTables<Tables>()
  return {
    add: (row: Pick<CertificateRow, 'serial' | 'org_id' | 'edge_id' | 'fingerprint' | 'issued_at' | 'expires_at'>) =>
      db
        .insertInto('edge_certificates')
        .values({ ...row, revoked_at: null, revoked_by: null, reason: null })
        .execute(),
    of: (edgeId: string): Promise<CertificateRow[]> =>
      db
        .selectFrom('edge_certificates')
        .selectAll()
        .where('edge_id', '=', edgeId)
        .orderBy('issued_at', 'desc')
        .orderBy('serial')
        .limit(200)
        .execute(),
    one: (serial: string): Promise<CertificateRow | undefined> =>
      db.selectFrom('edge_certificates').selectAll().where('serial', '=', serial).executeTakeFirst(),
    /** Takes back what is good still: one certificate, or all of the edge. The broker hears of it when this commits. */
    async revoke(edgeId: string, by: Pick<CertificateRow, 'revoked_at' | 'revoked_by' | 'reason'>, serial?: string) {
      const rows = await db
        .updateTable('edge_certificates')
        .set(by)
        .where('edge_id', '=', edgeId)
        .where('revoked_at', 'is', null)
        .$if(serial !== undefined, (q) => q.where('serial', '=', serial ?? ''))
        .returning('serial')
        .execute()
      await sql`select pg_notify('andon_edge_certificates', '')`.execute(tx)
      return rows.map((row) => row.serial)
    },
  }
}

/** All SQL of requests for another certificate, inside one organisation. */
export function renewalStore(tx: Tx) {
  const db = tx.withTables<Tables>()
  return {
    one: (hash: Buffer): Promise<RenewalRow | undefined> =>
      db.selectFrom('edge_renewals').selectAll().where('request_hash', '=', hash).executeTakeFirst(),
    add: (row: Omit<RenewalRow, 'confirmed_at' | 'confirmed_by' | 'certificate'>) =>
      db
        .insertInto('edge_renewals')
        .values({ ...row, confirmed_at: null, confirmed_by: null, certificate: null })
        .onConflict((c) => c.doNothing())
        .execute(),
    /** Those that wait for a person. */
    waiting: (edgeId: string): Promise<RenewalRow[]> =>
      db
        .selectFrom('edge_renewals')
        .selectAll()
        .where('edge_id', '=', edgeId)
        .where('confirmed_at', 'is', null)
        .orderBy('asked_at', 'desc')
        .limit(50)
        .execute(),
    async confirm(edgeId: string, id: string, by: { readonly name: string; readonly at: Date }) {
      const row = await db
        .updateTable('edge_renewals')
        .set({ confirmed_at: by.at, confirmed_by: by.name })
        .where('edge_id', '=', edgeId)
        .where('id', '=', id)
        .where('confirmed_at', 'is', null)
        .returning('serial')
        .executeTakeFirst()
      return row?.serial
    },
    keepAnswer: (hash: Buffer, certificate: string) =>
      db.updateTable('edge_renewals').set({ certificate }).where('request_hash', '=', hash).execute(),
  }
}

/** A box that knocks: which edge it is stands in its code or its certificate, before any organisation is known. */
export interface KnownBox {
  readonly org: string
  readonly edgeId: string
  readonly group: string
  readonly edge: string
}

type Lookup = Kysely<Tables & { edges: { id: string; org_id: string; group_id: string; edge: string } }>

/** Finds the edge of a code's hash, with the code's id. */
export async function boxOfCode(system: unknown, hash: Buffer): Promise<(KnownBox & { id: string }) | undefined> {
  return await (system as Lookup)
    .selectFrom('edge_enrolment_codes as c')
    .innerJoin('edges as e', 'e.id', 'c.edge_id')
    .select(['c.id', 'e.org_id as org', 'e.id as edgeId', 'e.group_id as group', 'e.edge'])
    .where('c.code_hash', '=', hash)
    .executeTakeFirst()
}

/** Finds the edge of a certificate. */
export async function boxOfSerial(system: unknown, serial: string): Promise<KnownBox | undefined> {
  return await (system as Lookup)
    .selectFrom('edge_certificates as c')
    .innerJoin('edges as e', 'e.id', 'c.edge_id')
    .select(['e.org_id as org', 'e.id as edgeId', 'e.group_id as group', 'e.edge'])
    .where('c.serial', '=', serial)
    .executeTakeFirst()
}
