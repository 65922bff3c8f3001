/** The rounds of a test of the chaos that asks the same of plain connections and of TLS. */

export const ROUNDS = [
  { name: 'plain', share: 0.6, tls: false },
  { name: 'over TLS', share: 0.4, tls: true },
] as const
