"""The passwords that are tried first: those of eight characters and more, in lower case."""

_LIST = """
!qaz2wsx 00000001 01234567 09876543 0987654321 10203040 102030405060 1029384756 11112222
11223344 1122334455 112233445566 123123123 12341234 12344321 123454321 1234554321 123456789a
123456789abc 123456789q 12345678a 12345678q 123456abc 12345abc 12345qwert 1234abcd 1234qwer
123qwe123 123qweasd 13579246 135792468 147258369 159357456 159753456 1q2w3e4r 1q2w3e4r5t
1q2w3e4r5t6y 1qaz2wsx 1qaz2wsx3edc 1qazxsw2 20202020 20212021 20222022 20232023 20242024
20252025 20262026 31415926 314159265 5201314520 741852963 789456123 87654321 987654321
9876543210 a12345678 a123456789 a1b2c3d4 a1s2d3f4 aa123456 aa12345678 abc12345 abc123456
abc123abc abcd1234 abcd12345 abcdabcd abcde123 abcdef123 access14 admin123 admin1234 admin12345
adminadmin administrator alexander alexandra amanda123 america1 american andrew123 angel123
angels123 anthony1 apple123 arsenal1 asd12345 asd123456 asdasd123 asdf1234 asdfasdf asdfghjk
asdfghjkl asdfqwer ashley123 australia autumn2024 autumn2025 autumn2026 azerty123 azertyui
azertyuiop babygirl babygirl1 babygurl1 banana123 barcelona baseball baseball1 basketball
batman123 benjamin bestfriend bestfriends blessed1 blessing blink182 brother1 butterfly
california changeit changeme changeme1 changeme123 charlie1 charlie123 charlotte cheesecake
chelsea1 chicago1 chocolate christian christina computer computer1 computer123 cookie123
corvette customer customer1 customer123 daddy123 daniel123 darling1 database dearbook default1
demo1234 demodemo diamonds donaldduck dragon123 elizabeth facebook facebook1 family123 father123
ferrari1 flower123 football football1 forever1 freedom1 friends1 friends123 gangster gangster1
garfield ginger123 godfather godisgood godislove google123 guest123 guestguest hannah123
harley123 hockey123 honey123 hunter123 hunter22 ilovegod ilovejesus iloveu123 iloveyou iloveyou!
iloveyou1 iloveyou123 iloveyou2 internet internet1 iphone123 jennifer jessica1 jesus123
jesuschrist jonathan jordan23 juventus killer123 letmein! letmein1 letmein12 letmein123 linkedin
linkedin1 liverpool liverpool1 lkjhgfdsa login123 logmein1 london123 lovelove loveme123
lovers123 loveyou1 manchester marlboro master12 master123 matthew1 maverick melissa1 mercedes
metallica michael1 michelle mickeymouse midnight midnight1 minecraft minecraft1 mnbvcxz1
mommy123 monkey123 mother123 mountain mustang1 mypassword mypassword1 mysql123 newpassword
newyork1 nicole123 nintendo nirvana1 oracle123 orange123 p@$$w0rd p@ssw0rd p@ssw0rd! p@ssw0rd1
p@ssword p@ssword1 pa$$w0rd pa$$word pass1234 pass12345 passpass passw0rd passw0rd! passw0rd1
password password! password1 password1! password12 password123 password123! password1234
passwort passwort1 patrick1 pepper123 phoenix1 platinum playstation poiuytrewq pokemon1
pokemon123 popcorn1 porsche1 postgres postgres1 princess princess1 purple123 q1w2e3r4 q1w2e3r4t5
qazwsx123 qazwsxedc qwaszx12 qwe12345 qwe123456 qwe123qwe qweasdzxc qweqwe123 qwerty!@ qwerty12
qwerty123 qwerty1234 qwerty12345 qwerty123456 qwertyui qwertyuiop qwertyuiop123 qwertz123
qwertzuiop rabbitmq rainbow1 realmadrid richard1 robert123 root1234 rootroot samantha samsung1
samsung123 scooby123 secret123 secretsecret security security1 server123 shadow123 shop1234
shopping shopping1 sister123 slipknot snoopy123 soccer123 softball1 spiderman spiderman1
spring2024 spring2025 spring2026 starwars starwars1 stephanie summer2023 summer2024 summer2025
summer2026 sunshine sunshine1 sunshine123 superman superman1 superstar superstar1 sweetheart
sweetie1 temp1234 temppass test1234 test12345 tester123 testing1 testing123 testpassword
testtest thepassword thomas123 thunder1 tigger123 tinkerbell topsecret trustno1 user1234
userpass victoria wang1234 welcome01 welcome1 welcome1! welcome12 welcome123 whatever whatever1
william1 winter2023 winter2024 winter2025 winter2026 woaini123 woaini1314 woaini520 yamaha123
yourpassword zaq12wsx zaq1zaq1 zxasqw12 zxc12345 zxc123456 zxcvbnm, zxcvbnm1 zxcvbnm123
zxczxczxc
"""

COMMON = frozenset(_LIST.split())
