/** Whether a character has Unicode's property White_Space (which is not what `\s` matches in JavaScript). */
export const isWhiteSpace = (character: string): boolean => WHITE_SPACE.test(character)

/** The inside of a class of a regular expression for White_Space. */
export const SPACES = '\\t-\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000'
const WHITE_SPACE = new RegExp(`^[${SPACES}]$`, 'u')

/** The inside of a class for what stands in words: letters, marks, digits, connectors and joiners. */
export const WORD = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}'
