// Which values a route constraint lets through, by the .NET rules that ASP.NET Core's inline constraints follow.
export type Constraint = (value: string) => boolean

const integerText = /^\s*[+-]?\d+\s*$/
const guidText =
  /^\s*(?:[0-9a-f]{32}|(?<open>[{(])?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?<close>[)}])?)\s*$/i
/** NumberStyles.Number: sign on either side, thousands, a decimal point. */
const decimalText = /^\s*[+-]?[\d,]*(?:\d\.?\d*|\.\d+)[+-]?\s*$/
const floatText = /^\s*(?:[+-]?[\d,]*(?:\d\.?\d*|\.\d+)(?:e[+-]?\d+)?|nan|[+-]?infinity|∞)\s*$/i
const dateText =
  /^\s*(?:\d{4}-\d{1,2}-\d{1,2}|\d{1,2}\/\d{1,2}\/\d{4})(?:[ T]\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,7})?)?(?: ?[ap]m)?(?: ?Z| ?[+-]\d{2}:\d{2})?)?\s*$/i

const between = (text: string, lowest: bigint, highest: bigint): boolean => {
  if (!integerText.test(text)) return false
  const value = BigInt(text.trim().replace('+', ''))
  return value >= lowest && value <= highest
}
const longest = 2n ** 63n
const isLong: Constraint = (value) => between(value, -longest, longest - 1n)
const isFloat: Constraint = (value) => floatText.test(value)

/** Each takes the text between the parentheses, or undefined where there is none. */
const makers: Readonly<Record<string, (args: string | undefined) => Constraint>> = {
  int: none(() => (value) => between(value, -(2n ** 31n), 2n ** 31n - 1n)),
  long: none(() => isLong),
  bool: none(() => (value) => /^\s*(?:true|false)\s*$/i.test(value)),
  guid: none(() => isGuid),
  alpha: none(() => (value) => /^[a-z]*$/i.test(value)),
  decimal: none(
    () => (value) => decimalText.test(value) && Math.abs(Number(value.replace(/,/g, ''))) < 7.93e28,
  ),
  double: none(() => isFloat),
  float: none(() => isFloat),
  datetime: none(() => (value) => dateText.test(value) && isDate(value)),
  required: none(() => (value) => value !== ''),
  min: (args) => {
    const [lowest] = integers(args, 1)
    return (value) => isLong(value) && BigInt(value.trim()) >= lowest!
  },
  max: (args) => {
    const [highest] = integers(args, 1)
    return (value) => isLong(value) && BigInt(value.trim()) <= highest!
  },
  range: (args) => {
    const [lowest, highest] = integers(args, 2)
    return (value) => between(value, lowest!, highest!)
  },
  length: (args) => {
    const [shortest, most] = integers(args, args?.includes(',') ? 2 : 1)
    return (value) => value.length >= shortest! && value.length <= (most ?? shortest!)
  },
  minlength: (args) => {
    const [shortest] = integers(args, 1)
    return (value) => value.length >= shortest!
  },
  maxlength: (args) => {
    const [most] = integers(args, 1)
    return (value) => value.length <= most!
  },
  regex: (args) => {
    if (!args) throw new Error('regex() needs a pattern')
    const pattern = new RegExp(args, 'i')
    return (value) => pattern.test(value)
  },
}

/** Throws where the name is unknown or the arguments don't fit: the real host does not start then either. */
export function createConstraint(name: string, args: string | undefined): Constraint {
  const make = Object.hasOwn(makers, name.toLowerCase()) ? makers[name.toLowerCase()] : undefined
  if (!make) throw new Error(`there is no route constraint '${name}'`)
  return make(args)
}

function none(make: () => Constraint): (args: string | undefined) => Constraint {
  return (args) => {
    if (args !== undefined) throw new Error(`takes no arguments, but has (${args})`)
    return make()
  }
}

function integers(args: string | undefined, count: number): bigint[] {
  const parts = args?.split(',') ?? []
  if (parts.length !== count || !parts.every((part) => integerText.test(part))) {
    throw new Error(`needs ${count} whole number${count > 1 ? 's' : ''}, but has (${args ?? ''})`)
  }
  return parts.map((part) => BigInt(part.trim()))
}

function isGuid(value: string): boolean {
  const match = guidText.exec(value)
  if (!match) return false
  const { open = '', close = '' } = match.groups ?? {}
  return ['', '{}', '()'].includes(open + close)
}

/** Date.parse takes the 31st of February for a day in March; .NET does not. */
function isDate(value: string): boolean {
  const [first, second, third] = value.match(/\d+/g)!.map(Number)
  const [year, month, day] = value.includes('/') ? [third!, first!, second!] : [first!, second!, third!]
  const date = new Date(Date.UTC(2000, month - 1, day))
  date.setUTCFullYear(year, month - 1, day)
  const [hour = 0, minute = 0, seconds = 0] = (/(\d+):(\d+)(?::(\d+))?/.exec(value) ?? [])
    .slice(1)
    .map((text) => Number(text ?? 0))
  const valid = date.getUTCMonth() === month - 1 && date.getUTCDate() === day && year > 0
  return valid && hour < 24 && minute < 60 && seconds < 60
}
