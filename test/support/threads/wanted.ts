/** How many threads the gateways of tests have: `PIPEGATE_TEST_THREADS`, which `npm run test:threads` sets. */
export const TEST_THREADS = Number(process.env.PIPEGATE_TEST_THREADS ?? 1)
