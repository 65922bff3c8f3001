/** What tests write into `Host`: the setting `hosts` of their gateways. A test of the default says `hosts: ''`. */
export const TEST_HOSTS = 'a,b,gateway,h,u,x,test,*.test,fuzz,example.org,*.example.org,*.example'
