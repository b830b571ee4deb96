/** True if a character has the Unicode property White_Space, which differs from `\s` in JavaScript. */
export const isWhiteSpace = (character: string): boolean => WHITE_SPACE.test(character)

/** Content of a regular expression character class for White_Space. */
export const SPACES = '\\t-\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000'
const WHITE_SPACE = new RegExp(`^[${SPACES}]$`, 'u')

/** Content of a character class for word characters: letters, marks, digits, connectors and joiners. */
export const WORD = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}'
