import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

/** The native helper, built by `build.sh`. @throws Error where there is none */
export function nativeHelper(): object {
  const path = new URL(
    `../../../gateway/native/prebuilt/sockets-${process.platform}-${process.arch}.node`,
    import.meta.url,
  )
  return createRequire(import.meta.url)(fileURLToPath(path))
}
