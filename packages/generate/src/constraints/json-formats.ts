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

/**
 * Regular expressions of JSON Schema formats. They are narrower than the standards for rarely used forms: no leap seconds, no
 * quoted local parts, `T` and `Z` in upper case.
 */
export const FORMATS: Readonly<Record<string, string>> = {
  date: DATE,
  'date-time': `${DATE}T${TIME}`,
  uuid: '[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}',
  email: `${ATOM}(?:\\.${ATOM})*@${LABEL}(?:\\.${LABEL})+`,
}
