/** It would not work later either. `message` is for people. */
export class NotPossible extends Error {}
