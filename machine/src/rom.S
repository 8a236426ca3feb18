# The ROM of a machine without firmware: from the reset vector to long mode, in the state that the boot protocol asks for at the 64-bit entry
# (Documentation/x86/boot.rst): flat segments 0x10 and 0x18, memory mapped at its own address, interrupts off, rsi = boot_params.

    .section .rodata.incipit_machine_rom, "a", @progbits
    .globl incipit_machine_rom
    .set AT, 0xffffff00                     # where the code lies: the last bytes below 4 GiB
    .code16
incipit_machine_rom:
    cli
    lgdtl   %cs:(3f - incipit_machine_rom + 0xff00)
    movl    %cr0, %eax
    orb     $1, %al                         # PE
    movl    %eax, %cr0
    ljmpl   $0x08, $(1f - incipit_machine_rom + AT)
    .code32
1:  movl    $0x18, %eax
    movl    %eax, %ds
    movl    %eax, %es
    movl    %eax, %ss
    movl    ${page_tables}, %eax
    movl    %eax, %cr3
    movl    $0x20, %eax                     # PAE
    movl    %eax, %cr4
    movl    $0xc0000080, %ecx               # EFER
    movl    $0x100, %eax                    # LME
    xorl    %edx, %edx
    wrmsr
    movl    %cr0, %eax
    orl     $0x80000000, %eax               # PG
    movl    %eax, %cr0
    ljmpl   $0x10, $(2f - incipit_machine_rom + AT)
    .code64
2:  movq    {handover}, %rsi
    jmpq    *{handover} + 8

    .balign 8
3:  .word   4 * 8 - 1
    .long   4f - incipit_machine_rom + AT
    .balign 8
4:  .quad   0
    .quad   0x00cf9b000000ffff              # 32-bit code
    .quad   0x00af9b000000ffff              # 64-bit code
    .quad   0x00cf93000000ffff              # data

    .org    0xf0                            # the reset vector
    .code16
    jmp     incipit_machine_rom
    .org    0x100
    .code64
    .text
