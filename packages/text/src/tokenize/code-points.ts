/** Code points in a page, of which {@link codePointMap} makes as many as are met. */
const PAGE_BITS = 8
const [PAGE, PAGES] = [2 ** PAGE_BITS, 512]

/** A function of code points that remembers what it returned. */
export interface CodePointMap<T> {
  get(code: number): T
  /** Times that a value was not remembered. */
  misses(): number
}

/**
 * Remembers what a function of characters returns: text consists of few of them. Of each page of 256 code points in use it
 * takes 2 kB, and of more than 512 pages nothing is remembered.
 */
export function codePointMap<T>(of: (character: string) => T): CodePointMap<T> {
  const pages: (T | undefined)[][] = []
  let count = 0
  let misses = 0
  const find = (code: number): T => {
    misses++
    return of(String.fromCodePoint(code))
  }
  return {
    get(code) {
      let page = pages[code >> PAGE_BITS]
      if (page === undefined) {
        if (count >= PAGES) return find(code)
        count++
        page = pages[code >> PAGE_BITS] = new Array<T | undefined>(PAGE).fill(undefined)
      }
      return (page[code & (PAGE - 1)] ??= find(code))
    },
    misses: () => misses,
  }
}

/** Remembers which characters are in a set. Of each page in use it takes 256 bytes. */
export function codePointSet(has: (character: string) => boolean): (code: number) => boolean {
  const pages: Uint8Array[] = []
  return (code) => {
    const page = (pages[code >> PAGE_BITS] ??= new Uint8Array(PAGE))
    const at = code & (PAGE - 1)
    // 0 is not known yet.
    if (page[at] === 0) page[at] = has(String.fromCodePoint(code)) ? 2 : 1
    return page[at] === 2
  }
}
