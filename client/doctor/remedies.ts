/** The setting that mends a finding, by what it is a setting of. */
export type Remedy = Readonly<Record<string, string>>

/** docs/proxies.md has the same, with what has been tried. */
export const REMEDIES = {
  nodes: {
    'every proxy': 'each name to one gateway: hash the path without "/api/v1/pipe" and without the query',
    nginx: 'hash $pipegate_name consistent;   (deploy/nginx/pipegate.conf)',
    HAProxy: 'balance hash path,lower,regsub(^/api/v1/pipe/,/)   (deploy/haproxy/haproxy.cfg)',
    Caddy: 'lb_policy header X-Pipegate-Name   (deploy/caddy/Caddyfile)',
  },
  requestBuffering: {
    nginx: 'proxy_request_buffering off;  proxy_http_version 1.1;',
    HAProxy: 'no option http-buffer-request',
    Caddy: 'no request_buffers, no buffer_requests',
    Traefik: 'no middleware "buffering"',
    Envoy: 'no filter "envoy.filters.http.buffer"',
  },
  responseBuffering: {
    nginx: 'proxy_buffering off;  gzip off;',
    HAProxy: 'option http-no-delay;  no compression',
    Caddy: 'flush_interval 1ms;  no encode',
    Traefik: 'responseForwarding.flushInterval: -1ms;  no middleware "compress" or "buffering"',
  },
  earlyReply: {
    pipegate: 'reply: end   (or ?reply=end on a sender)',
    Caddy: 'servers { enable_full_duplex }   (not in 2.6)',
  },
  tooLarge: {
    nginx: 'client_max_body_size 0;',
    Caddy: 'no request_body { max_size }',
    Traefik: 'no middleware "buffering"',
  },
  truncation: {
    'every proxy': 'HTTP/1.1 to the gateway; no caching, compressing or rewriting of responses',
    nginx: 'proxy_http_version 1.1;  proxy_buffering off;  proxy_request_buffering off;',
    Caddy: 'a newer version than 2.6',
  },
  truncationHttp2: {
    HAProxy: '2.6: alpn http/1.1   (no "h2")',
    'every proxy': 'a newer version, or HTTP/1.1 only for clients',
  },
  left: {
    nginx: 'proxy_buffering off;  proxy_request_buffering off;  proxy_ignore_client_abort off;',
    HAProxy: 'option abortonclose',
    Caddy: 'flush_interval 1ms, not -1;  servers { enable_full_duplex }',
  },
  expect: {
    'every proxy': 'pass "Expect: 100-continue" on, or answer it; curl does without: -H Expect:',
  },
  oneEach: {
    'every proxy': 'no cache for names, and no collapsing of requests; each response says "Cache-Control: no-store"',
    nginx: 'proxy_cache off;',
    HAProxy: 'no http-request cache-use',
    Varnish: 'sub vcl_recv { return (pass); }',
  },
  answers: {
    nginx: 'proxy_intercept_errors off;',
    Caddy: 'no handle_response in reverse_proxy',
    Traefik: 'no middleware "errors"',
  },
  retries: {
    nginx: 'proxy_next_upstream error timeout;',
    HAProxy: 'retry-on conn-failure   (no status in it)',
    Envoy: 'retry_on: connect-failure   (no "5xx", "gateway-error" or "retriable-status-codes")',
  },
  websocket: {
    'every proxy': 'Upgrade and Connection are passed on as they come',
    nginx:
      'proxy_set_header Upgrade $http_upgrade;  proxy_set_header Connection $pipegate_connection;   (deploy/nginx/pipegate.conf)',
  },
  duplex: {
    'every proxy': 'a request is read on while it is answered, and when its answer is over',
    nginx: 'proxy_request_buffering off;  proxy_buffering off;  each end for itself cannot be had',
    Caddy: 'servers { enable_full_duplex }   (not in 2.6);  each end for itself cannot be had',
  },
  path: {
    'every proxy': 'the path as it came; for names below another one set the prefix of the gateway',
    pipegate: 'prefix: /where/names/live',
  },
  silence: {
    nginx: 'proxy_read_timeout 61m;  proxy_send_timeout 61m;  client_body_timeout 61m;  send_timeout 61m;',
    HAProxy: 'timeout client 61m;  timeout server 61m',
    Caddy: 'servers { timeouts { read_body_idle 61m  write_idle 61m } };  no other read or write time-out',
    Traefik: 'respondingTimeouts: { readTimeout: 0, writeTimeout: 0 }',
    Envoy: 'stream_idle_timeout: 3660s;  route timeout: 0s',
    AWS: 'idle_timeout.timeout_seconds of the load balancer: 4000 at most',
  },
  head: {
    nginx: 'large_client_header_buffers 8 32k;',
    HAProxy: 'tune.bufsize 131072',
    Envoy: 'max_request_headers_kb: 32',
    Caddy: 'servers { max_header_size 32KiB }',
  },
  metadata: {
    'every proxy': 'no compressing, and responses as they are',
    nginx: 'gzip off;  proxy_buffering off;',
    Caddy: 'no encode',
  },
  forwarded: {
    pipegate: "trustedProxies: the proxy's address",
    nginx: 'proxy_set_header X-Forwarded-Proto $scheme;  proxy_set_header Host $http_host;',
    HAProxy: 'http-request set-header X-Forwarded-Proto %[ssl_fc,iif(https,http)];  option forwardfor',
  },
  pages: {
    pipegate: 'name the sites: cors.origins, and no "*" there; or ask everybody for a token (auth-bearer)',
  },
  hosts: {
    pipegate: 'hosts: the name that clients use   (or the proxy sends Host: localhost)',
  },
  reach: {
    pipegate: 'the URL is where names live: https://HOST, or https://HOST/PREFIX for another prefix',
  },
} as const satisfies Record<string, Remedy>
