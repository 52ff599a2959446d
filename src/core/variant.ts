/** The price list that a call was made under, where a provider has more than one. Absent: the standard one. */
export interface Variant {
  /** Service tier: `batch`, `flex`, `priority` … */
  readonly tier?: string
  /** `fast` where a provider sells a faster mode of the same model. */
  readonly speed?: string
  /** Where the model ran, if that changes the price: `us`, `eu` … */
  readonly region?: string
}
