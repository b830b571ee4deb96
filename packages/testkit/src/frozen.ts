/** Deep-frozen copy, through JSON: throws on modification. */
export const frozen = <T>(value: T): T => freeze(JSON.parse(JSON.stringify(value)) as T)

const freeze = <T>(value: T): T => {
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(freeze)
  return Object.freeze(value)
}
