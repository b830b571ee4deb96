/** Code points in a page, of which {@link codePointMap} makes as many as are met. */
const PAGE_BITS = 8
const [PAGE, PAGES] = [2 ** PAGE_BITS, 512]

/**
 * Remembers what a function of characters returns: text consists of few of them. Of each page of 256 code points in use it
 * takes 2 kB, and of more than 512 pages nothing is remembered.
 */
export function codePointMap<T>(of: (character: string) => T): (code: number) => T {
  const pages: (T | undefined)[][] = []
  let count = 0
  return (code) => {
    let page = pages[code >> PAGE_BITS]
    if (page === undefined) {
      if (count >= PAGES) return of(String.fromCodePoint(code))
      count++
      page = pages[code >> PAGE_BITS] = Array.from({ length: PAGE }, () => undefined)
    }
    return (page[code & (PAGE - 1)] ??= of(String.fromCodePoint(code)))
  }
}

/** Remembers which characters are in a set. */
export const codePointSet = (has: (character: string) => boolean): ((code: number) => boolean) => codePointMap(has)
