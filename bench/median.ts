// The middle of what was measured, so that one run that was disturbed does not decide.

/** Of an even number of them, halfway between the two in the middle; 0 of none. */
export const median = (list: readonly number[]): number => {
  const sorted = [...list].sort((a, b) => a - b)
  const middle = (sorted.length - 1) / 2
  return ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle)] ?? 0)) / 2
}
