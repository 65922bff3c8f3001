/**
 * The public plugin API, the only module of this project that a plugin imports (`pipegate/plugin`). Its types are in api/;
 * docs/plugins.md has the tutorial and an example for each part. Times are in milliseconds and sizes in bytes unless a name
 * says otherwise.
 */

export { z } from 'zod'
export {
  type AskCounts,
  type Delivery,
  type DeliveryView,
  END_REASONS,
  type EndReason,
  type Failure,
  type HeldBytes,
  isDoneOfMany,
  type KindName,
  type LiveCounts,
  type PipeView,
  type QueueCounts,
  Refusal,
  type Side,
  type Throttle,
  type ThrottleBucket,
  type TopicCounts,
} from '../../core/index.js'
export { type Address, canonicalName, readAddress } from '../http/address.js'
export type { AlternativeName, ClientCertificate } from '../http/client-certificate.js'
export { FAILURES } from '../http/failures.js'
export { HEAD_FAILURES } from '../http/head-failures.js'
export { isForTerminal, isPreview } from '../http/onlookers.js'
export { integer, Parameters, show } from '../http/parameters.js'
export type { RequestRecord } from '../http/request-record.js'
export type { RequestView } from '../http/request-view.js'
export { type Answer, type HeaderList, jsonAnswer, textAnswer } from '../http/response/answer.js'
export { endingOf } from '../http/response/endings.js'
export { type Html, type HtmlValue, html, trustedHtml } from '../http/response/html.js'
export { htmlPage, type Page } from '../http/response/page.js'
export { fileTarget, givenTarget, type LineTarget } from '../log/line-target.js'
export { LineWriter } from '../log/line-writer.js'
export { type StreamLabel, streamLabel } from '../stream/stream-label.js'
export type { Context, Identity, Join, Right, Slot } from './api/context.js'
export type { Claim, Mode, Route } from './api/handlers.js'
export type { Hooks, RequestCopy, Verdict } from './api/hooks.js'
export type { FailureRow, GatewayView, Host, Log, Pipes, Token } from './api/host.js'
export { type ConfigSchema, definePlugin, type Parts, PLUGIN_API, type Plugin } from './api/plugin.js'
export type { Body, Reply } from './api/reply.js'
export type { WebSocketLink, WebSocketOffer, WebSocketPeer } from './api/websocket.js'
export { NamePattern } from './name-pattern.js'
