import type { FailureRow } from '../../gateway/host/plugin-api.js'

const LOGGED = "The gateway's log says more under request {id}."

export const FAILURES = {
  unreachable: {
    status: 502,
    message: 'The service behind this address cannot be reached.',
    hint: `Try again in a few seconds. ${LOGGED}`,
  },
  reset: {
    status: 502,
    message: 'The service behind this address closed the connection before it answered.',
    hint: `What it has done with the request is not known. ${LOGGED}`,
  },
  badResponse: {
    status: 502,
    message: 'The service behind this address sent what is no HTTP response.',
    hint: `Its operator has to look into this. ${LOGGED}`,
  },
  untrusted: {
    status: 502,
    message: 'The certificate of the service behind this address is not accepted.',
    hint: `The operator has to renew it, or to name its authority under "ca". ${LOGGED}`,
  },
  noUpstream: {
    status: 503,
    message: 'No service behind this address can be used now.',
    hint: `Try again in a few seconds. ${LOGGED}`,
  },
  moved: {
    status: 503,
    message: 'This name belongs to another relay now.',
    hint: 'Send it again.',
  },
  connectTimeout: {
    status: 504,
    message: 'The service behind this address accepted no connection in {seconds} seconds.',
    hint: `Try again in a few seconds. ${LOGGED}`,
  },
  responseTimeout: {
    status: 504,
    message: 'The service behind this address did not answer in {seconds} seconds.',
    hint: `What it has done with the request is not known. ${LOGGED}`,
  },
  requestTimeout: {
    status: 408,
    message: 'Nothing came of the rest of this request for {seconds} seconds.',
    hint: 'Send it again, without a pause.',
  },
  loop: {
    status: 508,
    message: 'This request has been here before.',
    hint: 'The operator has to see that no gateway forwards to itself, or to one that forwards to it.',
  },
  tooManyHops: {
    status: 508,
    message: 'This request has come through {found} gateways.',
    hint: 'The operator has to see that they do not forward to each other, or to raise maxHops, {expected} here.',
  },
  badRequest: {
    status: 400,
    message: 'This request has {found}, and is not forwarded.',
    hint: 'Leave it out.',
  },
} as const satisfies Record<string, FailureRow>

export type FailureKey = keyof typeof FAILURES
