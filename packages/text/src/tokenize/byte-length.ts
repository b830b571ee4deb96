const encoder = new TextEncoder()

/** The length of a text in UTF-8, in bytes. Node.js counts without encoding. */
export const byteLength: (text: string) => number =
  typeof Buffer === 'undefined' ? (text) => encoder.encode(text).length : Buffer.byteLength
