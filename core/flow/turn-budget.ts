/** What one offer costs besides its bytes: a system call takes about as long as copying so many. */
const OFFER_COST = 16 * 1024

/**
 * What all crowds together may do in one turn of the event loop. A stream with very many receivers has work for half a second
 * whenever they all have room, and nobody else would be served meanwhile: so a part of it is done in each turn, and the rest in
 * later ones, between which everybody has theirs.
 *
 * Streams with few receivers are not counted: one read of theirs is a few megabytes at most.
 */
export class TurnBudget {
  #spent = 0

  /**
   * @param bytesPerTurn what receivers of crowds may take in one turn. 16 MiB are 5 to 10 ms
   * @param few a stream with so many receivers is none
   * @param offerCost bytes that an offer costs besides those that are taken
   */
  constructor(
    readonly bytesPerTurn = 16 * 1024 * 1024,
    readonly few = 16,
    readonly offerCost = OFFER_COST,
  ) {}

  /** So many bytes have been taken of one offer. */
  spend(bytes: number): void {
    this.#spent += bytes + this.offerCost
  }

  /** Nothing more is offered in this turn. */
  get isSpent(): boolean {
    return this.#spent >= this.bytesPerTurn
  }

  /** A turn begins. Only needed after somebody has been postponed. */
  begin(): void {
    this.#spent = 0
  }
}
