import { isSpace } from './characters.js'

/** Characters with numeric type Digit, including superscripts and circled digits. */
const DIGITS =
  /^[\p{Nd}\u00b2\u00b3\u00b9\u1369-\u1371\u19da\u2070\u2074-\u2079\u2080-\u2089\u2460-\u2468\u2474-\u247c\u2488-\u2490\u24ea\u24f5-\u24fd\u24ff\u2776-\u277e\u2780-\u2788\u278a-\u2792\u{10a40}-\u{10a43}\u{10e60}-\u{10e68}\u{11052}-\u{1105a}\u{1f100}-\u{1f10a}]$/u
/** Chinese numerals: letters with a numeric value. */
const NUMERALS =
  /^[\p{N}㐅㒃㠪㭍一七万三九二五亖亿什仟仨伍佰億兆兩八六十千卄卅卌叁参參叄四壱壹幺廾廿弌弍弎弐拾捌柒漆玖百肆萬貮貳贰阡陆陌陸零\uf96b\uf973\uf978\uf9b2\uf9d1\uf9d3\uf9fd\u{20001}\u{20064}\u{200e2}\u{20121}\u{2092a}\u{20983}\u{2098c}\u{2099c}\u{20aea}\u{20afd}\u{20b19}\u{22390}\u{22998}\u{23b1b}\u{2626d}\u{2f890}]$/u
const LETTER = /^\p{L}$/u
const DECIMAL = /^\p{Nd}$/u
const UNPRINTABLE = /^[\p{C}\p{Z}]$/u

/** True for letters: `str.isalpha`. */
export const isLetter = (character: string): boolean => LETTER.test(character)

/** True for decimal digits of any script: `str.isdecimal`. */
export const isDecimal = (character: string): boolean => DECIMAL.test(character)

/** True for digits, including superscripts and circled digits: `str.isdigit`. */
export const isDigit = (character: string): boolean => DIGITS.test(character)

/** True for characters with a numeric value: `str.isnumeric`. */
export const isNumeric = (character: string): boolean => NUMERALS.test(character)

/** True for letters and characters with a numeric value: `str.isalnum`. */
export const isAlphanumeric = (character: string): boolean => isLetter(character) || isNumeric(character)

/** True for characters that `repr` does not escape: `str.isprintable`. */
export const isPrintable = (character: string): boolean => character === ' ' || !UNPRINTABLE.test(character)

/** True for a single whitespace character. */
export const isSpaceCharacter = (character: string): boolean =>
  character.length === 1 && isSpace(character.charCodeAt(0))

/** True for word characters of Python's regular expressions: `\w`. */
export const isWordCharacter = (character: string): boolean => character === '_' || isAlphanumeric(character)

const IDENTIFIER = /^[\p{XID_Start}_]\p{XID_Continue}*$/u

/** True for identifiers: `str.isidentifier`. */
export const isIdentifier = (text: string): boolean => IDENTIFIER.test(text)
