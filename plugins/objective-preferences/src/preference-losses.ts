import { logSigmoid } from '@attune/nn'
import { type Tensor, add, div, expm1, log, minimum, mul, neg, relu, square, sub } from '@tensorflow/tfjs-core'

/** Settings of a preference loss. */
export interface PreferenceSettings {
  /** Scale of the rewards, β > 0. */
  readonly beta: number | Tensor
  /** Assumed fraction of pairs whose labels are flipped, ε in [0, 0.5). */
  readonly labelSmoothing: number | Tensor
  /** Target reward margin γ ≥ 0, of SimPO. */
  readonly margin: number | Tensor
}

/** A loss of pairs. Scores are log-ratios to the reference model or, without one, log-probabilities; float32 `[pairs]`. */
interface PreferenceLoss {
  readonly needsReference: boolean
  /** True if scores are means per token. */
  readonly averages: boolean
  /** True if the loss uses `labelSmoothing`. */
  readonly smooths: boolean
  readonly beta: number
  /** Weight of the negative log-likelihood of the chosen text that is added by default. */
  readonly likelihoodWeight: number
  /** Loss per pair, `[pairs]`. */
  losses(chosen: Tensor, rejected: Tensor, settings: PreferenceSettings): Tensor
}

const WITH_REFERENCE = { needsReference: true, averages: false, smooths: false, beta: 0.1, likelihoodWeight: 0 }
const WITHOUT_REFERENCE = { ...WITH_REFERENCE, needsReference: false }

/** Bradley–Terry loss with label smoothing, `−(1 − ε) · ln σ(x) − ε · ln σ(−x)`. */
const smoothed = (x: Tensor, epsilon: number | Tensor): Tensor =>
  epsilon === 0 ? neg(logSigmoid(x)) : neg(add(mul(sub(1, epsilon), logSigmoid(x)), mul(epsilon, logSigmoid(neg(x)))))

/** `ln(1 − e^x)` of log-probabilities; x is limited to −1e-7, so that a certain completion has a finite value. */
const log1mExp = (x: Tensor): Tensor => log(neg(expm1(minimum(x, -1e-7))))

/** The losses by name. `d` is the chosen score minus the rejected one. */
export const PREFERENCE_LOSSES = {
  /** DPO: `−ln σ(β·d)`, smoothed. Rafailov et al., 2023, equation 7. */
  sigmoid: {
    ...WITH_REFERENCE,
    smooths: true,
    losses: (chosen, rejected, { beta, labelSmoothing }) => smoothed(mul(beta, sub(chosen, rejected)), labelSmoothing),
  },
  /** `max(0, 1 − β·d)`. Zhao et al., SLiC-HF, 2023. */
  hinge: {
    ...WITH_REFERENCE,
    losses: (chosen, rejected, { beta }) => relu(sub(1, mul(beta, sub(chosen, rejected)))),
  },
  /**
   * IPO: `(d − 1 / (2β))²`, with scores per token: equation 17 of Azar et al., 2023, has sums, but its authors confirmed the mean.
   */
  ipo: {
    ...WITH_REFERENCE,
    averages: true,
    losses: (chosen, rejected, { beta }) => square(sub(sub(chosen, rejected), div(0.5, beta))),
  },
  /** Robust DPO: `((1 − ε) · −ln σ(β·d) + ε · ln σ(−β·d)) / (1 − 2ε)`. Chowdhury et al., 2024, equation 4. */
  robust: {
    ...WITH_REFERENCE,
    smooths: true,
    losses(chosen, rejected, { beta, labelSmoothing: epsilon }) {
      const x = mul(beta, sub(chosen, rejected))
      const clean = mul(sub(epsilon, 1), logSigmoid(x))
      return div(add(clean, mul(epsilon, logSigmoid(neg(x)))), sub(1, mul(2, epsilon)))
    },
  },
  /** SimPO: `−ln σ(β·d − γ)`, with scores per token. Meng et al., 2024, equation 6. */
  simpo: {
    ...WITHOUT_REFERENCE,
    averages: true,
    smooths: true,
    beta: 2,
    losses: (chosen, rejected, { beta, margin, labelSmoothing }) =>
      smoothed(sub(mul(beta, sub(chosen, rejected)), margin), labelSmoothing),
  },
  /** CPO: DPO against a uniform reference, and the likelihood of the chosen text. Xu et al., 2024, equation 5. */
  cpo: {
    ...WITHOUT_REFERENCE,
    smooths: true,
    likelihoodWeight: 1,
    losses: (chosen, rejected, { beta, labelSmoothing }) => smoothed(mul(beta, sub(chosen, rejected)), labelSmoothing),
  },
  /**
   * ORPO: `−β · ln σ(ln odds(chosen) − ln odds(rejected))`, `odds = p / (1 − p)` of the mean probability per token, and the likelihood of
   * the chosen text. Hong et al., 2024, equations 6 and 7.
   */
  orpo: {
    ...WITHOUT_REFERENCE,
    averages: true,
    likelihoodWeight: 1,
    losses(chosen, rejected, { beta }) {
      const odds = sub(sub(chosen, rejected), sub(log1mExp(chosen), log1mExp(rejected)))
      return neg(mul(beta, logSigmoid(odds)))
    },
  },
} satisfies Record<string, PreferenceLoss>

/** Names of the losses. */
export const preferenceLossNames = Object.keys(PREFERENCE_LOSSES) as (keyof typeof PREFERENCE_LOSSES)[]

/** The loss of a name. */
export const preferenceLoss = (name: keyof typeof PREFERENCE_LOSSES): PreferenceLoss => PREFERENCE_LOSSES[name]
