/** Names of members of every object, array or promise, which code that keys plain objects by names from outside may lose or misread. */
export const memberNames: readonly string[] = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'valueOf',
  '__defineGetter__',
  'length',
  'then',
]
