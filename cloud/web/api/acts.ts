import type { AlarmActionResult } from '#shared/contracts/alarm.ts'
import type { EdgeRegistered, EdgeRegistration } from '#shared/contracts/edge.ts'
import type { EnrolmentCodeIssued } from '#shared/contracts/edge-certificate.ts'
import type {
  ConfigurationChecked,
  ConfigurationPush,
  ConfigurationWithDocument,
} from '#shared/contracts/edge-configuration.ts'
import type { ExportQuestion, HistoryExport } from '#shared/contracts/history.ts'
import { ApiError, request } from './http.ts'

/** One intention of a person; the key keeps a second sending from doing it twice. */
export interface Send {
  readonly key: string
}

const post = <T>(path: string, body: unknown, send: Send) =>
  request<T>('POST', path, { body, idempotencyKey: send.key })

const alarmPath = (id: string, action: string) => `/api/alarms/${id}/${action}`

/** A refusal of the shard arrives as an answer; for the person it is a refusal like any other. */
function settled(result: AlarmActionResult): AlarmActionResult {
  if (result.status !== 'refused') return result
  throw new ApiError({
    type: 'about:blank',
    title: 'Refused',
    status: 409,
    code: result.error ?? 'alarm.refused',
    ...(result.error ? { detail: result.error } : {}),
  })
}

export const acknowledgeAlarm = async (id: string, send: Send, comment?: string) =>
  settled(await post(alarmPath(id, 'acknowledgements'), comment ? { comment } : {}, send))

export interface ShelveInput {
  readonly minutes: number
  readonly reason: string
  readonly oneShot?: boolean
}
export const shelveAlarm = async (id: string, input: ShelveInput, send: Send) =>
  settled(await post(alarmPath(id, 'shelvings'), input, send))
export const unshelveAlarm = async (id: string, send: Send) =>
  settled(await request('DELETE', alarmPath(id, 'shelvings'), { idempotencyKey: send.key }))
export const confirmAlarm = async (id: string, send: Send, comment?: string) =>
  settled(await post(alarmPath(id, 'confirmations'), comment ? { comment } : {}, send))
export const resetAlarm = async (id: string, send: Send) => settled(await post(alarmPath(id, 'resets'), {}, send))

export interface ResponseInput {
  readonly response: 'seen' | 'accept' | 'arrive' | 'decline'
  readonly etaMinutes?: number
  readonly reason?: string
}
export const respondToIncident = (id: string, input: ResponseInput, send: Send) =>
  post<unknown>(`/api/incidents/${id}/responses`, input, send)
export const moveIncident = (id: string, to: string, send: Send, reason?: string) =>
  post<unknown>(`/api/incidents/${id}/transitions`, { to, ...(reason ? { reason } : {}) }, send)
export const callPeople = (id: string, personIds: readonly string[], send: Send, note?: string) =>
  post<unknown>(`/api/incidents/${id}/calls`, { personIds, ...(note ? { note } : {}) }, send)

export const postMessage = (channelId: string, text: string, send: Send) =>
  post<unknown>('/api/messages', { channelId, text }, send)
export const markRead = (channelId: string, seq: number) =>
  request<unknown>('POST', `/api/channels/${channelId}/reads`, { body: { seq } })

export interface OrderInput {
  readonly assetId: string
  readonly title: string
  readonly incidentId?: string
  readonly assigneeId?: string
}
export const createWorkOrder = (input: OrderInput, send: Send) => post<unknown>('/api/work-orders', input, send)

export interface OrderMove {
  readonly to: string
  readonly reason?: string
  readonly assigneeId?: string
  readonly failure?: { readonly mode: string; readonly cause: string; readonly remedy: string; readonly note?: string }
}
export const moveWorkOrder = (id: string, move: OrderMove, send: Send) =>
  post<unknown>(`/api/work-orders/${id}/transitions`, move, send)
export const setTaskResult = (id: string, taskId: string, result: boolean | number | string | null) =>
  request<unknown>('PATCH', `/api/work-orders/${id}/tasks/${taskId}`, { body: { result } })

export const moveRetro = (id: string, to: string, send: Send, reason?: string) =>
  post<unknown>(`/api/retros/${id}/transitions`, { to, ...(reason ? { reason } : {}) }, send)
export const editRetro = (id: string, revision: number, edit: unknown) =>
  request<unknown>('PATCH', `/api/retros/${id}`, { body: edit, ifMatch: revision })

export const registerEdge = (input: EdgeRegistration, send: Send) => post<EdgeRegistered>('/api/edges', input, send)
const edgePath = (id: string, rest: string) => `/api/edges/${id}/${rest}`
/** A code with the instant of its making, in ms: a certificate from then on was got with it. */
export interface MadeCode extends EnrolmentCodeIssued {
  readonly madeAt: number
}
export async function makeEnrolmentCode(id: string, hours: number, send: Send): Promise<MadeCode> {
  const issued = await post<EnrolmentCodeIssued>(edgePath(id, 'enrolment-codes'), { hours }, send)
  return { ...issued, madeAt: Date.parse(issued.expiresAt) - hours * 3_600_000 }
}
export const revokeCertificate = (id: string, serial: string, reason: string, send: Send) =>
  post<unknown>(edgePath(id, 'certificate-revocations'), { serial, reason }, send)
export const confirmRenewal = (id: string, renewalId: string, send: Send) =>
  post<unknown>(edgePath(id, `certificate-renewals/${renewalId}/confirmations`), undefined, send)
/** Asks the box which faults it finds in a configuration; nothing is changed. */
export const checkConfiguration = (id: string, document: string, send: Send) =>
  post<ConfigurationChecked>(edgePath(id, 'configuration-checks'), { document }, send)
/** Keeps a configuration as the next version; nothing is sent. */
export const saveConfiguration = (id: string, document: string, send: Send) =>
  post<ConfigurationWithDocument>(edgePath(id, 'configuration-versions'), { document }, send)
export interface PushInput {
  readonly version: number
  readonly reason: string
  /** Hash of what lies on the box, to overwrite what was changed there. */
  readonly replaces?: string
}
export const pushConfiguration = (id: string, { version, ...body }: PushInput, send: Send) =>
  post<ConfigurationPush>(edgePath(id, `configuration-versions/${version}/pushes`), body, send)

export const completeInboxItem = (id: string, send: Send) => post<unknown>(`/api/inbox/${id}/completions`, {}, send)

export const signIn = (username: string, password: string) =>
  request<unknown>('POST', '/api/session', { body: { username, password } })
export const signOut = () => request<unknown>('DELETE', '/api/session')

export const createExport = (input: ExportQuestion, send: Send) =>
  post<HistoryExport>('/api/history/exports', input, send)
export const cancelExport = (id: string) => request<HistoryExport>('DELETE', `/api/history/exports/${id}`)
/** Where the browser fetches the file of an export, once. */
export const exportFile = (id: string): string => `/api/history/exports/${id}/file`
