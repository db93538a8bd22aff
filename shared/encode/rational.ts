// Exact fractions, as frame rates and aspect ratios are written in media files.
export interface Rational {
  readonly num: number
  readonly den: number
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b))

export function reduced(num: number, den: number): Rational {
  const divisor = gcd(num, den) || 1
  return { num: num / divisor, den: den / divisor }
}

export const ratioOf = ({ num, den }: Rational): number => num / den

/** `30000/1001` or `4:3`; undefined unless both are whole and positive. */
export function parseRational(text: unknown): Rational | undefined {
  const match = typeof text === 'string' ? /^(\d{1,10})[/:](\d{1,10})$/.exec(text) : null
  const num = Number(match?.[1])
  const den = Number(match?.[2])
  return num > 0 && den > 0 ? reduced(num, den) : undefined
}
