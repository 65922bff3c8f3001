/**
 * Headers in which proxies tell upstreams where a request comes from, or what else to believe. From a client that is no trusted
 * proxy none of them is passed on: an upstream that believes one would believe the client.
 */
const CLAIMS = new Set([
  'forwarded',
  'x-real-ip',
  'x-real-scheme',
  'x-scheme',
  'x-url-scheme',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-originating-ip',
  'x-remote-ip',
  'x-remote-addr',
  'x-remote-user',
  'remote-user',
  'x-proxyuser-ip',
  'true-client-ip',
  'cf-connecting-ip',
  'fastly-client-ip',
  'fly-client-ip',
  'client-ip',
  'front-end-https',
  'x-https',
  'x-ssl',
  'x-host',
  'x-original-host',
  'x-http-host-override',
  'x-original-url',
  'x-original-uri',
  'x-rewrite-url',
  'x-auth-request-user',
  'x-auth-request-email',
])

/** @param name in lower case */
export function claimsOrigin(name: string): boolean {
  return name.startsWith('x-forwarded-') || CLAIMS.has(name)
}

/**
 * The name that servers see which hand headers on as variables (CGI, WSGI, PHP): to them `X_Forwarded_For` and `X-Forwarded-For` are
 * one. Undefined when it is the name itself.
 */
export function nameAsVariable(name: string): string | undefined {
  return /^[a-z0-9-]*$/.test(name) ? undefined : name.replace(/[^a-z0-9]/g, '-')
}
