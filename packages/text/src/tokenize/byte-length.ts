const encoder = new TextEncoder()

/** UTF-8 length of a text, in bytes. Node.js counts without encoding. */
export const byteLength: (text: string) => number =
  typeof Buffer === 'undefined' ? (text) => encoder.encode(text).length : Buffer.byteLength
