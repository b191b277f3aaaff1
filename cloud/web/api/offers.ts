import { moveIncident, moveRetro, moveWorkOrder, respondToIncident, type Send } from './acts.ts'

/** What a record's offered action does when it needs nothing more from the person. */
export type Act = (id: string, send: Send) => Promise<unknown>

const response = (kind: 'seen' | 'accept' | 'arrive' | 'decline'): Act => {
  return (id, send) => respondToIncident(id, { response: kind }, send)
}
const incidentTo = (to: string): Act => {
  return (id, send) => moveIncident(id, to, send)
}
const orderTo = (to: string): Act => {
  return (id, send) => moveWorkOrder(id, { to }, send)
}
const retroTo = (to: string): Act => {
  return (id, send) => moveRetro(id, to, send)
}

/** Actions by record type that one press can do; the others open their form. */
const ACTS: Readonly<Record<string, Readonly<Record<string, Act>>>> = {
  incident: {
    seen: response('seen'),
    accept: response('accept'),
    arrive: response('arrive'),
    contain: incidentTo('contained'),
    restore: incidentTo('restored'),
    review: incidentTo('review'),
    close: incidentTo('closed'),
  },
  'work-order': {
    accept: orderTo('accepted'),
    arrive: orderTo('arrived'),
    start: orderTo('in_progress'),
    resume: orderTo('in_progress'),
    verify: orderTo('verified'),
    close: orderTo('closed'),
  },
  retro: { submit: retroTo('in_review'), approve: retroTo('approved') },
}

/** State names are verbs here: an action may be offered by either. */
const VERBS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  incident: {
    contained: 'contain',
    restored: 'restore',
    closed: 'close',
    cancelled: 'cancel',
    'work-order': 'dispatch',
  },
  'work-order': {
    accepted: 'accept',
    arrived: 'arrive',
    in_progress: 'start',
    on_hold: 'hold',
    done: 'finish',
    verified: 'verify',
    closed: 'close',
    cancelled: 'cancel',
    rejected: 'reject',
    assigned: 'assign',
  },
  retro: { in_review: 'submit', review: 'submit', approved: 'approve', drafting: 'return' },
}

/** The verb of an offered action. */
export const verbOf = (type: string, action: string): string => VERBS[type]?.[action] ?? action

/** How to do the action at one press; undefined when it needs a form. */
export const actOf = (type: string, action: string): Act | undefined => ACTS[type]?.[verbOf(type, action)]
