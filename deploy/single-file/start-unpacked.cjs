// Beside the unpacked package. A script in an executable cannot import modules from files, and one that is a file can.
import('./dist/gateway/main.js')
