/** Rows of numbers of the same width. */
export type Rows = readonly ArrayLike<number>[]

/** Result of k-means. */
export interface Clusters {
  readonly centres: readonly (readonly number[])[]
  /** Index of the nearest centre of each point. */
  readonly labels: readonly number[]
  /** Sum of the squared distances of the points to their centres. */
  readonly inertia: number
}

/** Maximum number of iterations, as in scikit-learn. */
const ITERATIONS = 300

function squaredDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2
  return sum
}

/** Index of the nearest centre, and the squared distance to it. */
function nearest(point: ArrayLike<number>, centres: Rows) {
  let [label, distance] = [0, Infinity]
  for (const [i, centre] of centres.entries()) {
    const found = squaredDistance(point, centre)
    if (found < distance) [label, distance] = [i, found]
  }
  return { label, distance }
}

/** Means of the points of each cluster. Each empty cluster takes the point that is farthest from its centre away from another cluster. */
function means(points: Rows, found: readonly { label: number; distance: number }[], count: number): number[][] {
  const labels = found.map(({ label }) => label)
  const sizes = Array.from({ length: count }, (_, i) => labels.filter((label) => label === i).length)
  const farthest = [...found.keys()].sort((a, b) => found[b]!.distance - found[a]!.distance)
  for (const empty of sizes.flatMap((size, i) => (size === 0 ? [i] : []))) {
    const at = farthest.find((each) => sizes[labels[each]!]! > 1)!
    sizes[labels[at]!]!--
    ;[labels[at], sizes[empty]] = [empty, 1]
  }
  const sums = Array.from({ length: count }, () => Array<number>(points[0]!.length).fill(0))
  for (const [at, point] of points.entries()) {
    const sum = sums[labels[at]!]!
    for (let i = 0; i < sum.length; i++) sum[i]! += point[i]!
  }
  return sums.map((sum, i) => sum.map((value) => value / sizes[i]!))
}

/**
 * Lloyd's algorithm from given centres until no point changes its cluster, at most 300 iterations. An empty cluster takes the point that is
 * farthest from its centre, as in scikit-learn.
 * @param points at least as many as centres
 */
export function lloyd(points: Rows, start: Rows): Clusters {
  let centres: readonly (readonly number[])[] = start.map((row) => Array.from(row))
  let found = points.map((point) => nearest(point, centres))
  for (let i = 0; i < ITERATIONS; i++) {
    centres = means(points, found, centres.length)
    const next = points.map((point) => nearest(point, centres))
    const isSame = next.every(({ label }, at) => label === found[at]!.label)
    found = next
    if (isSame) break
  }
  return {
    centres,
    labels: found.map(({ label }) => label),
    inertia: found.reduce((sum, { distance }) => sum + distance, 0),
  }
}

/**
 * Initial centres by k-means++: each is a point, with a probability proportional to its squared distance to the nearest earlier centre.
 * Source: Arthur and Vassilvitskii, k-means++: The Advantages of Careful Seeding, 2007, section 2.2.
 */
export function seedCentres(points: Rows, count: number, random: () => number): Rows {
  const centres = [points[Math.floor(random() * points.length)]!]
  const distances = points.map((point) => squaredDistance(point, centres[0]!))
  while (centres.length < count) {
    let left = random() * distances.reduce((sum, each) => sum + each, 0)
    const at = distances.findIndex((each) => (left -= each) < 0)
    const centre = points[at < 0 ? Math.floor(random() * points.length) : at]! // all points are centres, or rounding
    centres.push(centre)
    for (const [i, point] of points.entries()) distances[i] = Math.min(distances[i]!, squaredDistance(point, centre))
  }
  return centres
}

/**
 * k-means: the best of several runs of Lloyd's algorithm from k-means++ centres, by inertia.
 * @param points at least `count`
 * @param restarts number of runs; default 4
 */
export function kMeans(points: Rows, count: number, random: () => number, restarts = 4): Clusters {
  const runs = Array.from({ length: restarts }, () => lloyd(points, seedCentres(points, count, random)))
  return runs.reduce((best, each) => (each.inertia < best.inertia ? each : best))
}
