/** Links, on a day in January 2027. */
import { linksPlugin } from '../../../plugins/links/index.js'

export const NOW = 1_800_000_000

export default linksPlugin(() => NOW * 1000)
