# Where another CPU begins: real mode, in a page below 1 MiB that this is copied to, at whatever address that has. Everything is addressed from the page's
# beginning, which the code segment says; what the copy is told (trampoline.rs) lies behind the first jump.

    .set TRAMPOLINE_CODE32, 0x08            # selectors of the trampoline's own table
    .set TRAMPOLINE_CODE64, 0x10
    .set TRAMPOLINE_DATA, 0x18
    .set IA32_MISC_ENABLE, 0x1a0
    .set IA32_EFER, 0xc0000080
    .set XD_DISABLE_HIGH, 2                 # bit 34, in the upper half
    .set CR0_LONG_MODE, 0x80050033          # PG, AM, WP, NE, ET, MP, PE
    .set CR4_PAE, 0x20

    .section .rodata.smp_trampoline, "a", @progbits
    .balign 16
    .globl smp_trampoline
    .code16
smp_trampoline:
    cli
    cld
    jmp     1f
    .org    smp_trampoline + {told} + {told_size}
1:  xorl    %ebx, %ebx
    movw    %cs, %bx
    movw    %bx, %ds
    shll    $4, %ebx                        # the page's address, from here on
    lgdtl   {told} + {gdt_pointer}
    movl    %cr0, %eax
    orb     $1, %al
    movl    %eax, %cr0
    ljmpl   *({told} + {far_32})

    .code32
    .globl smp_trampoline_32
smp_trampoline_32:
    movl    $TRAMPOLINE_DATA, %eax
    movl    %eax, %ds
    movl    %eax, %es
    movl    %eax, %ss
    cmpl    $0, {told} + {uncover_nx}(%ebx)
    je      2f
    movl    $IA32_MISC_ENABLE, %ecx
    rdmsr
    btrl    $XD_DISABLE_HIGH, %edx
    jnc     2f
    wrmsr
2:  movl    $CR4_PAE, %eax
    movl    %eax, %cr4
    movl    {told} + {pgd}(%ebx), %eax
    movl    %eax, %cr3
    movl    $IA32_EFER, %ecx
    movl    {told} + {efer}(%ebx), %eax
    movl    {told} + {efer} + 4(%ebx), %edx
    wrmsr
    movl    $CR0_LONG_MODE, %eax
    movl    %eax, %cr0
    ljmpl   *({told} + {far_64})(%ebx)

    .code64
    .globl smp_trampoline_64
smp_trampoline_64:
    movl    %ebx, %ebx                      # the upper half is undefined after the change of mode
    jmpq    *({told} + {entry})(%rbx)
    .globl smp_trampoline_end
smp_trampoline_end:
