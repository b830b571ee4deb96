/** Size of a page in code points. {@link codePointMap} allocates pages on demand. */
const PAGE_BITS = 8
const [PAGE, PAGES] = [2 ** PAGE_BITS, 512]

/** A cached function of code points. */
export interface CodePointMap<T> {
  get(code: number): T
  /** Number of cache misses. */
  misses(): number
}

/**
 * Caches a function of characters; a text uses few of them. Each page of 256 code points in use takes 2 kB; beyond 512 pages
 * nothing is cached.
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

/** Caches membership in a set of characters. Each page in use takes 256 bytes. */
export function codePointSet(has: (character: string) => boolean): (code: number) => boolean {
  const pages: Uint8Array[] = []
  return (code) => {
    const page = (pages[code >> PAGE_BITS] ??= new Uint8Array(PAGE))
    const at = code & (PAGE - 1)
    // 0: not cached yet.
    if (page[at] === 0) page[at] = has(String.fromCodePoint(code)) ? 2 : 1
    return page[at] === 2
  }
}
