// What a .NET TimeSpan text means, in seconds: `hh:mm[:ss[.f]]`, `d.hh:mm:ss` and a bare number of days.
const clock = /^(-)?(?:(\d+)\.)?(\d+):(\d{1,2})(?::(\d{1,2}(?:\.\d{1,7})?))?$/

export function parseTimeSpan(text: string): number | undefined {
  const trimmed = text.trim()
  if (/^-?\d+$/.test(trimmed)) return Number(trimmed) * 86_400
  const match = clock.exec(trimmed)
  if (!match) return undefined
  const [, sign, days = '0', first, second, third = '0'] = match
  let [day, hour, minute, rest] = [Number(days), Number(first), Number(second), Number(third)]
  // .NET reads 24:00:00 as 24 days: once the hour doesn't fit, the fields move up by one.
  if (hour > 23 && match[2] === undefined) [day, hour, minute, rest] = [hour, minute, Math.floor(rest), 0]
  if (hour > 23 || minute > 59 || rest >= 60) return undefined
  return (sign ? -1 : 1) * (((day * 24 + hour) * 60 + minute) * 60 + rest)
}
