/** Programs that broadcast one stream to many: pipegate, nchan in nginx, and Icecast. */

import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import type { Target } from '../client/dial.js'
import { isOnPath, type Peer, type StartOptions } from '../peers.js'
import type { SendKind } from './programs.js'

/** A peer, and how it is talked to. */
export interface Broadcaster {
  readonly peer: Peer
  readonly kind: SendKind
  readonly sendPath: string
  readonly watchPath: string
  /** It tells a viewer where it begins. */
  readonly tellsOffset: boolean
}

const MOST_VIEWERS = 4096
const NCHAN = '/usr/lib/nginx/modules/ngx_nchan_module.so'

export function broadcaster(head: Peer): Broadcaster {
  const many = ['--max-viewers', `${MOST_VIEWERS}`]
  return {
    peer: { ...head, command: (options) => [...head.command(options), ...many] },
    kind: 'put',
    sendPath: '/live?live',
    watchPath: '/live?live',
    tellsOffset: true,
  }
}

const target = ({ ports: [port] }: StartOptions): Target => ({ scheme: 'http', port, outPort: port })

/** Each frame is a message, of which nchan keeps 128 (8 MiB): who is further behind misses some, which it does not say. */
export function nchan(folder: string): Broadcaster {
  const peer: Peer = {
    name: 'nchan',
    missing: () =>
      isOnPath('nginx') && existsSync(NCHAN) ? null : 'nchan is not installed: apt-get install libnginx-mod-nchan',
    command: ({ ports: [port] }) => {
      const file = `${folder}/nchan.conf`
      writeFileSync(file, nchanConfig(folder, port))
      return ['nginx', '-e', 'stderr', '-c', file]
    },
    target,
  }
  return { peer, kind: 'post', sendPath: '/send', watchPath: '/watch', tellsOffset: false }
}

function nchanConfig(folder: string, port: number): string {
  return `
load_module ${NCHAN};
daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log stderr crit;
worker_rlimit_nofile 10000;
events { worker_connections 8192; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  client_max_body_size 1m;
  client_body_buffer_size 128k;
  keepalive_requests 1000000;
  nchan_shared_memory_size 512m;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location = /send {
      nchan_publisher;
      nchan_channel_id live;
      nchan_message_buffer_length 128;
      nchan_message_timeout 60s;
    }
    location = /watch {
      nchan_subscriber http-chunked;
      nchan_channel_id live;
      nchan_subscriber_first_message newest;
    }
  }
}
`
}

/** A listener that is more than 8 MiB behind is cut, as a viewer of pipegate is by default; nobody gets a burst to begin with. */
export function icecast(folder: string): Broadcaster {
  const peer: Peer = {
    name: 'Icecast',
    missing: () => (isOnPath('icecast2') ? null : 'icecast2 is not installed: apt-get install icecast2'),
    command: ({ ports: [port] }) => {
      const file = `${folder}/icecast.xml`
      writeFileSync(file, icecastConfig(folder, port))
      // It does not run as root, but changes to nobody.
      mkdirSync(`${folder}/log`, { recursive: true })
      chmodSync(folder, 0o755)
      chmodSync(`${folder}/log`, 0o777)
      return ['icecast2', '-c', file]
    },
    target,
  }
  return { peer, kind: 'source', sendPath: '/live', watchPath: '/live', tellsOffset: false }
}

function icecastConfig(folder: string, port: number): string {
  return `
<icecast>
  <limits>
    <clients>${MOST_VIEWERS + 100}</clients><sources>2</sources><queue-size>8388608</queue-size>
    <client-timeout>30</client-timeout><header-timeout>15</header-timeout><source-timeout>60</source-timeout>
    <burst-on-connect>0</burst-on-connect><burst-size>0</burst-size>
  </limits>
  <authentication>
    <source-password>live</source-password><relay-password>live</relay-password>
    <admin-user>admin</admin-user><admin-password>live</admin-password>
  </authentication>
  <hostname>localhost</hostname>
  <listen-socket><port>${port}</port><bind-address>127.0.0.1</bind-address></listen-socket>
  <paths>
    <basedir>/usr/share/icecast2</basedir><logdir>${folder}/log</logdir>
    <webroot>/usr/share/icecast2/web</webroot><adminroot>/usr/share/icecast2/admin</adminroot>
  </paths>
  <logging><accesslog>access.log</accesslog><errorlog>error.log</errorlog><loglevel>1</loglevel></logging>
  <security>
    <chroot>0</chroot>
    <changeowner><user>nobody</user><group>nogroup</group></changeowner>
  </security>
</icecast>
`
}
