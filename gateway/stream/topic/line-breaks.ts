export const LF = 10
export const CR = 13
