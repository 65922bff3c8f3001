import type { ValueType } from './values.js'

/** What every flag has besides its name, which is the key it stands under: `secretFile` is `--secret-file`. */
interface Common {
  /** One or more sentences for the help text. */
  readonly help: string
  /** One letter: `q` is `-q`. `h` and `V` are taken. */
  readonly short?: string
  /** The heading that it stands under; without one it is "Flags". */
  readonly group?: string
  /** What holds when it is absent, for the help text; the command finds that out itself. */
  readonly otherwise?: string
}

/** It is there or not. */
export interface Switch extends Common {
  readonly kind: 'switch'
}

/** A value; of a flag that is given twice the last one counts. */
export interface Single<T> extends Common {
  readonly kind: 'single'
  readonly type: ValueType<T>
  /** What it is when it is absent, as it would be written. */
  readonly fallback?: string
  readonly required?: true
}

/** A flag that may be given any number of times. */
export interface List<T> extends Common {
  readonly kind: 'list'
  readonly type: ValueType<T>
}

/** `--x`, `--no-x`, `--x=false`; never `--x false`. `type` reads the text `true` or `false`, or what was written. */
export interface Toggle<T> extends Common {
  readonly kind: 'toggle'
  readonly type: ValueType<T>
}

export type Flag = Switch | Single<unknown> | List<unknown> | Toggle<unknown>
export type Flags = Readonly<Record<string, Flag>>

/** An argument without a dash. Its key is what its value is called in the code. */
export interface Argument<T = unknown> {
  readonly type: ValueType<T>
  readonly help: string
  readonly optional?: true
  /** Takes any number of them: one argument of a command at most. When it is not optional, there is at least one. */
  readonly repeated?: true
}

export type Arguments = Readonly<Record<string, Argument>>

export function on<O extends Omit<Common, 'help'>>(help: string, more?: O): Switch {
  return { kind: 'switch', help, ...more }
}

export function single<T>(type: ValueType<T>, help: string): Single<T>
export function single<T, const O extends Omit<Single<T>, 'kind' | 'type' | 'help'>>(
  type: ValueType<T>,
  help: string,
  more: O,
): Single<T> & O
export function single<T>(type: ValueType<T>, help: string, more: object = {}): Single<T> {
  return { kind: 'single', type, help, ...more }
}

export function list<T>(type: ValueType<T>, help: string, more?: Omit<Common, 'help'>): List<T> {
  return { kind: 'list', type, help, ...more }
}

export function toggle<T>(
  type: ValueType<T>,
  help: string,
  more?: Omit<Toggle<T>, 'kind' | 'type' | 'help'>,
): Toggle<T> {
  return { kind: 'toggle', type, help, ...more }
}

export function argument<T>(type: ValueType<T>, help: string): Argument<T>
export function argument<T, const O extends Omit<Argument<T>, 'type' | 'help'>>(
  type: ValueType<T>,
  help: string,
  more: O,
): Argument<T> & O
export function argument<T>(type: ValueType<T>, help: string, more: object = {}): Argument<T> {
  return { type, help, ...more }
}

type FlagValue<F> = F extends Switch
  ? boolean
  : F extends List<infer T>
    ? readonly T[]
    : F extends Toggle<infer T>
      ? T | undefined
      : F extends Single<infer T>
        ? F extends { readonly fallback: string } | { readonly required: true }
          ? T
          : T | undefined
        : never

type ArgumentValue<A> =
  A extends Argument<infer T>
    ? A extends { readonly repeated: true }
      ? readonly T[]
      : A extends { readonly optional: true }
        ? T | undefined
        : T
    : never

/** What a command line gives a command: a field for each flag and each argument. */
export type ValuesOf<F extends Flags, A extends Arguments> = { readonly [K in keyof F]: FlagValue<F[K]> } & {
  readonly [K in keyof A]: ArgumentValue<A[K]>
}
