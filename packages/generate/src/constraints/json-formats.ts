const LEAP_YEAR = '(?:\\d\\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)'
const DAY_OF_MONTH = [
  '(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])',
  '(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)',
  '02-(?:0[1-9]|1\\d|2[0-8])',
].join('|')
/** RFC 3339, section 5.6, with the days of each month. */
const DATE = `(?:\\d{4}-(?:${DAY_OF_MONTH})|${LEAP_YEAR}-02-29)`
const HOUR = '(?:[01]\\d|2[0-3])'
const TIME = `${HOUR}:[0-5]\\d:[0-5]\\d(?:\\.\\d{1,9})?(?:Z|[+-]${HOUR}:[0-5]\\d)`
const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?'
const ATOM = "[A-Za-z0-9!#$%&'*+\\/=?^_`{|}~-]+"

const OFFSET = `(?:Z|[+-]${HOUR}:[0-5]\\d)`
const HOST = `(?:${LABEL}\\.){0,3}${LABEL}`
const BYTE = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
const IPV4 = `(?:${BYTE}\\.){3}${BYTE}`
const GROUP = '[0-9a-fA-F]{1,4}'
/** All eight groups, or a gap at an end or between groups. */
const IPV6 = [
  `(?:${GROUP}:){7}${GROUP}`,
  `(?:${GROUP}:){1,7}:`,
  `:(?::${GROUP}){1,7}`,
  ...[1, 2, 3, 4, 5, 6].map((before) => `(?:${GROUP}:){${before}}(?::${GROUP}){1,${7 - before}}`),
  `::ffff:${IPV4}`,
].join('|')
const PATH = "(?:[A-Za-z0-9._~!$&'()*+,;=@-]|%[0-9A-Fa-f]{2})"
const QUERY = "(?:\\?(?:[A-Za-z0-9._~!$&'()*+,;=:@\\/?-]|%[0-9A-Fa-f]{2})*)?"
const FRAGMENT = "(?:#(?:[A-Za-z0-9._~!$&'()*+,;=:@\\/?-]|%[0-9A-Fa-f]{2})*)?"
const URI = `(?:https?|ftp|wss?):\\/\\/${HOST}(?::[1-9]\\d{0,3})?(?:\\/${PATH}*)*${QUERY}${FRAGMENT}|(?:urn|tag):(?:${PATH}|:)+`
/** Not a format of the specification: what validators take for a URL, with a domain name. */
const URL = `(?:https?|ftp):\\/\\/(?:[a-z0-9]{1,40}\\.){1,3}[a-z]{2,10}(?::[1-9]\\d{1,3})?(?:(?:\\/${PATH}*)+${QUERY}${FRAGMENT})?`
const REFERENCE = `\\/?${PATH}+(?:\\/${PATH}*)*${QUERY}${FRAGMENT}`
const POINTER = '(?:\\/(?:[^~\\/\\u0000-\\u001f]|~[01])*)*'
const TIME_PART = 'T(?:\\d{1,4}H(?:\\d{1,4}M)?(?:\\d{1,4}S)?|\\d{1,4}M(?:\\d{1,4}S)?|\\d{1,4}S)'
const DATE_PART = '(?:\\d{1,4}Y(?:\\d{1,4}M)?(?:\\d{1,4}D)?|\\d{1,4}M(?:\\d{1,4}D)?|\\d{1,4}D)'
const EMAIL = `${ATOM}(?:\\.${ATOM})*@${LABEL}(?:\\.${LABEL})+`

/**
 * Regular expressions of JSON Schema formats. They are narrower than the standards for rarely used forms: no leap seconds, no
 * quoted local parts, `T` and `Z` in upper case, common URI schemes, host names of up to four labels, regular expressions of letters
 * and digits.
 */
export const FORMATS: Readonly<Record<string, string>> = {
  date: DATE,
  time: `${HOUR}:[0-5]\\d:[0-5]\\d(?:\\.\\d{1,9})?${OFFSET}`,
  'date-time': `${DATE}T${TIME}`,
  duration: `P(?:${DATE_PART}(?:${TIME_PART})?|${TIME_PART}|\\d{1,4}W)`,
  uuid: '[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}',
  email: EMAIL,
  'idn-email': EMAIL,
  hostname: HOST,
  'idn-hostname': HOST,
  ipv4: IPV4,
  ipv6: IPV6,
  uri: URI,
  iri: URI,
  url: URL,
  'uri-reference': `${URI}|${REFERENCE}`,
  'iri-reference': `${URI}|${REFERENCE}`,
  'uri-template': '(?:[A-Za-z0-9._~\\/:?&=-]|\\{[a-z]{1,20}\\})*',
  'json-pointer': POINTER,
  'relative-json-pointer': `(?:0|[1-9]\\d{0,4})${POINTER}`,
  regex: '\\^?(?:[A-Za-z0-9_ -][*+?]?)*\\$?',
  byte: '(?:[A-Za-z0-9+\\/]{4})*(?:[A-Za-z0-9+\\/]{2}==|[A-Za-z0-9+\\/]{3}=)?',
}

/** Limits of the number formats of OpenAPI. */
export const NUMBER_FORMATS: Readonly<Record<string, readonly [min: number, max: number]>> = {
  int32: [-(2 ** 31), 2 ** 31 - 1],
  int64: [-Infinity, Infinity],
}
